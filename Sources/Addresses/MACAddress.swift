/// A 48-bit link-layer address (IEEE 802).
public struct MACAddress: Hashable, Sendable {
  /// Bytes of an address.
  public static let byteCount = 6
  /// ff:ff:ff:ff:ff:ff: every host of the LAN.
  public static let broadcast = MACAddress(bits: 0xffff_ffff_ffff)

  /// The address as a number, first byte highest; below 2^48.
  public let bits: UInt64

  /// An address from its number; what is above 48 bits is dropped.
  public init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

  /// An address from its bytes; nil unless there are six.
  public init?(_ bytes: some Sequence<UInt8>) {
    var bits: UInt64 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt64(byte)
      count += 1
      if count > Self.byteCount { return nil }
    }
    guard count == Self.byteCount else { return nil }
    self.bits = bits
  }

  /// The six bytes, in the order of the wire.
  public var bytes: [UInt8] { (0..<Self.byteCount).map { UInt8(truncatingIfNeeded: bits >> (40 - 8 * $0)) } }

  /// Whether it names a group of hosts (the lowest bit of the first byte).
  public var isMulticast: Bool { bits >> 40 & 1 == 1 }
}

extension MACAddress: Comparable {
  public static func < (a: MACAddress, b: MACAddress) -> Bool { a.bits < b.bits }
}

extension MACAddress: LosslessStringConvertible {
  /// Parses `aa:bb:cc:dd:ee:ff`.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
    guard bytes.count == parts.count else { return nil }
    self.init(bytes)
  }

  /// `aa:bb:cc:dd:ee:ff`.
  public var description: String {
    bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined(separator: ":")
  }
}
