import Addresses

/// How much of one family of a pool is in use.
public struct PoolUsage: Hashable, Sendable {
  public let pool: String
  public let family: IPAddress.Family
  /// Addresses that at least one Service holds.
  public let inUse: Int
  /// Addresses of the pool without those it avoids; `UInt128.max` where there are more.
  public let total: UInt128
  /// Whether the pool has no other family.
  public let isOnlyFamily: Bool

  /// Addresses that a Service could still get, resting ones among them.
  public var available: UInt128 { total - UInt128(inUse) }
}
