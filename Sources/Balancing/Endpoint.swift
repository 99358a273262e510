import Addresses

/// One place that traffic can go: a pod's port, a node's port, or an address given by hand.
public struct Endpoint: Hashable, Sendable {
  /// Where connections are made to.
  public var address: SocketAddress
  /// What people call it: the pod's or node's name, or the address.
  public var name: String
  /// Its share against the others, 1 to 256.
  public var weight: Int

  public init(_ address: SocketAddress, name: String? = nil, weight: Int = 1) {
    self.address = address
    self.name = name ?? address.description
    self.weight = min(max(weight, 1), 256)
  }
}
