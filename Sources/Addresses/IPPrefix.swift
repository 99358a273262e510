/// An address and a prefix length: `10.0.0.0/8`, `fd00::/64`.
public struct IPPrefix: Hashable, Sendable {
  /// The first address of the prefix; its host bits are zero.
  public let network: IPAddress
  /// Bits that all members share: 0 to 32 or 0 to 128.
  public let length: Int

  /// The prefix of `length` bits that holds `address`; nil when `length` does not fit the family.
  public init?(_ address: IPAddress, length: Int) {
    guard (0...address.family.bitCount).contains(length) else { return nil }
    let host = address.family.bitCount - length
    let bits = host == 128 ? 0 : (address.bits >> UInt128(host)) << UInt128(host)
    guard let network = IPAddress(address.family, bits: bits) else { return nil }
    self.network = network
    self.length = length
  }

  /// Parses `address/length`. Host bits may be set and are cleared; see ``hasHostBits(_:)``.
  public init?(_ text: some StringProtocol) {
    guard let (address, length) = Self.parts(text) else { return nil }
    self.init(address, length: length)
  }

  /// Whether `text` is a prefix whose address has bits set beyond its length, as `10.0.0.5/24`.
  public static func hasHostBits(_ text: some StringProtocol) -> Bool {
    guard let (address, _) = parts(text), let prefix = IPPrefix(text) else { return false }
    return prefix.network != address
  }

  private static func parts(_ text: some StringProtocol) -> (IPAddress, Int)? {
    guard let slash = text.firstIndex(of: "/"), let address = IPAddress(text[..<slash]) else { return nil }
    let digits = text[text.index(after: slash)...]
    guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let length = Int(digits), length <= address.family.bitCount
    else { return nil }
    return (address, length)
  }

  /// The last address of the prefix.
  public var last: IPAddress { range.last }

  /// The prefix as a range.
  public var range: IPRange {
    let host = network.family.bitCount - length
    let span: UInt128 = host == 128 ? .max : (UInt128(1) << UInt128(host)) - 1
    guard let last = network.advanced(by: span), let range = IPRange(first: network, last: last) else {
      preconditionFailure("a prefix ends within its family")
    }
    return range
  }

  public func contains(_ address: IPAddress) -> Bool { range.contains(address) }
}

extension IPPrefix: LosslessStringConvertible {
  public var description: String { "\(network)/\(length)" }
}
