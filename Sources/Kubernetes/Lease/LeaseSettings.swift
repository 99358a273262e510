/// Which Lease (coordination.k8s.io/v1) decides among several instances, and its times in seconds.
public struct LeaseSettings: Hashable, Sendable {
  public var namespace: String
  public var name: String
  /// Unique to this process: written as `holderIdentity`.
  public var identity: String
  /// How long the Lease is good after its last renewal.
  public var duration = 15.0
  /// How long the holder tries to renew before it calls the Lease unverified.
  public var renewDeadline = 10.0
  /// Between tries.
  public var retryPeriod = 2.0

  public init(namespace: String, name: String, identity: String) {
    self.namespace = namespace
    self.name = name
    self.identity = identity
  }
}
