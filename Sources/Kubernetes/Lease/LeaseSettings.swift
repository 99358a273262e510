/// Which Lease (coordination.k8s.io/v1) decides among several instances, and its times in seconds.
///
/// No two verified holders: that takes a ``renewDeadline`` that is shorter than ``duration`` by more than the clocks of two
/// hosts drift apart in that time.
public struct LeaseSettings: Hashable, Sendable {
  public var namespace: String
  public var name: String
  /// Unique to this process: written as `holderIdentity`.
  public var identity: String
  /// How long the Lease is good after its last renewal. It is written in whole seconds, rounded up.
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

  /// With which lifetime the holder's addresses are best put on interfaces, in seconds: those of a holder that was killed
  /// are then gone before another instance can take the Lease.
  ///
  /// That may be as soon as ``duration`` after the last renewal, and the holder may be killed when the next was just due;
  /// a second more for clocks that drift.
  public var addressLifetime: UInt32 { UInt32(min(max(duration - retryPeriod - 1, 1), 8)) }
}
