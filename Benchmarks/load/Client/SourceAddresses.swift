import Addresses
import ArgumentParser

/// The addresses that clients are bound to, one after the other: each has its own ephemeral ports.
struct SourceAddresses: Sendable {
  private let range: IPRange
  private var offset: UInt128 = 0

  init(_ range: IPRange) { self.range = range }

  /// Parses `ADDRESS-ADDRESS`, or one address.
  static func parse(_ text: String) throws(ValidationError) -> SourceAddresses {
    do {
      if let single = IPAddress(text), let range = IPRange(first: single, last: single) {
        return SourceAddresses(range)
      }
      return SourceAddresses(try IPRange(parsing: text))
    } catch {
      throw ValidationError("must be ADDRESS-ADDRESS: \(error)")
    }
  }

  /// For many connections to `target` one after the other, when nothing was asked for: 64 of loopback's own addresses,
  /// which need no interface; none elsewhere.
  static func forConnections(to target: Target) -> SourceAddresses? {
    let address = target.address.address
    guard address.family == .v4, address.isLoopback else { return nil }
    let first = IPAddress(v4: 127 << 24 | 111 << 16 | 1)
    return IPRange(first: first, last: IPAddress(v4: 127 << 24 | 111 << 16 | 64)).map { SourceAddresses($0) }
  }

  var family: IPAddress.Family { range.family }

  mutating func next() -> IPAddress {
    let address = range.first.advanced(by: offset) ?? range.first
    offset = offset + 1 == range.count ? 0 : offset + 1
    return address
  }
}
