import Glibc

/// An IPv4 or IPv6 address, without a zone.
///
/// Ordered by family (IPv4 first), then by value.
public struct IPAddress: Hashable, Sendable {
  /// The address family.
  public enum Family: UInt8, Hashable, Sendable, CaseIterable, Comparable {
    case v4 = 4
    case v6 = 6

    /// Bits in an address of this family: 32 or 128.
    public var bitCount: Int { self == .v4 ? 32 : 128 }

    public static func < (a: Family, b: Family) -> Bool { a.rawValue < b.rawValue }
  }

  public let family: Family
  /// The address as a number, in host byte order; below 2^32 for IPv4.
  public let bits: UInt128

  /// An IPv4 address from its number in host byte order.
  public init(v4 bits: UInt32) {
    family = .v4
    self.bits = UInt128(bits)
  }

  /// An IPv6 address from its number in host byte order.
  public init(v6 bits: UInt128) {
    family = .v6
    self.bits = bits
  }

  /// An address of `family`; nil when `bits` does not fit.
  public init?(_ family: Family, bits: UInt128) {
    if family == .v4, bits > UInt128(UInt32.max) { return nil }
    self.family = family
    self.bits = bits
  }

  /// Parses dotted-quad or RFC 4291 text, as inet_pton(3) does: no leading zeros, no zone.
  public init?(_ text: some StringProtocol) {
    // C would read up to the first zero byte and take what is before it.
    if text.utf8.contains(0) { return nil }
    var v4 = in_addr()
    var v6 = in6_addr()
    let text = String(text)
    if unsafe inet_pton(AF_INET, text, &v4) == 1 {
      self.init(v4: UInt32(bigEndian: v4.s_addr))
    } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
      self.init(v6)
    } else {
      return nil
    }
  }

  /// An IPv6 address from its C form.
  public init(_ c: in6_addr) {
    var c = c
    self.init(v6: unsafe withUnsafeBytes(of: &c) { unsafe UInt128(bigEndian: $0.load(as: UInt128.self)) })
  }

  /// The C form of an IPv6 address.
  public var in6: in6_addr {
    var c = in6_addr()
    unsafe withUnsafeMutableBytes(of: &c) { unsafe $0.storeBytes(of: bits.bigEndian, as: UInt128.self) }
    return c
  }

  /// Whether the address is 0.0.0.0 or ::.
  public var isUnspecified: Bool { bits == 0 }

  /// Whether the address is in 127.0.0.0/8 or is ::1.
  public var isLoopback: Bool { family == .v4 ? bits >> 24 == 127 : bits == 1 }

  /// Whether the address is multicast (224.0.0.0/4, ff00::/8).
  public var isMulticast: Bool { family == .v4 ? bits >> 28 == 0xE : bits >> 120 == 0xFF }

  /// The address `distance` higher; nil past the family's last.
  public func advanced(by distance: UInt128) -> IPAddress? {
    let (sum, overflow) = bits.addingReportingOverflow(distance)
    return overflow ? nil : IPAddress(family, bits: sum)
  }
}

extension IPAddress: Comparable {
  public static func < (a: IPAddress, b: IPAddress) -> Bool {
    a.family == b.family ? a.bits < b.bits : a.family < b.family
  }
}

extension IPAddress: LosslessStringConvertible {
  /// The shortest text form (RFC 5952 for IPv6).
  public var description: String {
    if family == .v4 {
      return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }
    var c = in6
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
      // The buffer is as long as the longest IPv6 text, so inet_ntop cannot fail.
      guard let text = unsafe inet_ntop(AF_INET6, &c, buffer.baseAddress, socklen_t(INET6_ADDRSTRLEN)) else {
        return ""
      }
      return unsafe String(cString: text)
    }
  }
}
