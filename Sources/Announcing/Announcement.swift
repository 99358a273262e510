import Addresses

/// An external address that is to be announced.
public struct Announcement: Hashable, Sendable {
  public let address: IPAddress
  public var interfaces: InterfaceScope

  public init(_ address: IPAddress, on interfaces: InterfaceScope = .fitting) {
    self.address = address
    self.interfaces = interfaces
  }
}

/// Which network interfaces an address may be announced on.
public enum InterfaceScope: Hashable, Sendable {
  /// Those whose subnet holds the address; where there is none, all that are fit for it.
  case fitting
  /// These, by name, as an L2Advertisement's `interfaces`.
  case named(Set<String>)

  /// What two advertisements of one address come to together.
  public func union(_ other: InterfaceScope) -> InterfaceScope {
    guard case .named(let mine) = self, case .named(let others) = other else { return .fitting }
    return .named(mine.union(others))
  }
}
