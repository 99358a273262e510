import Addresses

/// An address and the pool it came from.
public struct AddressAssignment: Hashable, Sendable {
  public let address: IPAddress
  /// The name of the IPAddressPool.
  public let pool: String

  public init(_ address: IPAddress, pool: String) {
    self.address = address
    self.pool = pool
  }
}

extension AddressAssignment: CustomStringConvertible {
  /// `10.101.0.50 from pool lab`.
  public var description: String { "\(address) from pool \(pool)" }
}
