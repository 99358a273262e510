import Addresses

/// A pool in force. Each of its addresses is in use, resting or free; those it avoids are among the free.
struct PoolState: Equatable, Sendable {
  var pool: AddressPool
  var ranges: PerFamily<AddressSet>
  var free: PerFamily<AddressSet>
  var resting = PerFamily { _ in RestQueue() }
  /// Addresses that Services hold.
  var inUse = PerFamily { _ in 0 }

  /// A pool of which nothing is taken.
  init(_ pool: AddressPool) {
    self.pool = pool
    ranges = PerFamily { AddressSet(pool.ranges, $0) }
    free = ranges
  }

  func usage(_ family: IPAddress.Family) -> PoolUsage {
    let avoided = pool.avoidBuggyIPs && family == .v4 ? ranges[family].buggyCount : 0
    return PoolUsage(
      pool: pool.name, family: family, inUse: inUse[family], total: ranges[family].count - avoided,
      isOnlyFamily: ranges[.v4].isEmpty || ranges[.v6].isEmpty)
  }

  /// The lowest free address; where none is left, the one that has rested longest.
  func lowestFree(_ family: IPAddress.Family) -> IPAddress? {
    let avoidsBuggy = pool.avoidBuggyIPs && family == .v4
    let bits =
      free[family].lowest(avoidingBuggy: avoidsBuggy)
      ?? resting[family].entries.first { !avoidsBuggy || !AddressPool.isBuggy($0.bits) }?.bits
    return bits.flatMap { IPAddress(family, bits: $0) }
  }
}
