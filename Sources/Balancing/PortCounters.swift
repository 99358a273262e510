/// What happened on one Service port, apart from its endpoints; kept over snapshots.
///
/// One row a shard, written by that shard only and read by any thread.
@safe public final class PortCounters: Sendable {
  /// Numbers of a row: the four below, then one for each close reason, then one for each drop reason.
  private let columns: Int
  private let firstDrop: Int
  private let shardCount: Int
  // Allocated in init, freed in deinit; whoever counts holds the port that holds this.
  nonisolated(unsafe) private let rows: UnsafeMutablePointer<Counter>

  private static let accepted = 0
  private static let retries = 1
  private static let datagramsIn = 2
  private static let datagramsOut = 3
  private static let firstReason = 4

  /// How many reasons there are, numbered from 0: why a connection or flow ends, and why a datagram is dropped.
  public init(shardCount: Int, reasonCount: Int, dropCount: Int = 0) {
    firstDrop = Self.firstReason + reasonCount
    // Rows end on a cache line of their own.
    columns = (firstDrop + dropCount + 8) & ~7
    self.shardCount = shardCount
    unsafe rows = .allocate(capacity: columns * shardCount)
    for index in 0..<columns * shardCount { unsafe (rows + index).initialize(to: Counter()) }
  }

  deinit {
    unsafe rows.deinitialize(count: columns * shardCount)
    unsafe rows.deallocate()
  }

  private func add(_ column: Int, shard: Int, _ amount: UInt64 = 1) {
    precondition(column < columns && shard < shardCount, "no such counter")
    unsafe rows[shard * columns + column].add(amount)
  }

  private func sum(_ column: Int) -> UInt64 {
    precondition(column < columns, "no such counter")
    return (0..<shardCount).reduce(0) { unsafe $0 + rows[$1 * columns + column].current }
  }

  /// Counts a connection or flow that came in. On `shard` only.
  public func countAccepted(shard: Int) { add(Self.accepted, shard: shard) }
  /// Counts another try after a failed connect. On `shard` only.
  public func countRetry(shard: Int) { add(Self.retries, shard: shard) }
  /// Counts datagrams that a client's flow delivered to its endpoint. On `shard` only.
  public func countDatagramsIn(_ count: Int, shard: Int) { add(Self.datagramsIn, shard: shard, UInt64(count)) }
  /// Counts datagrams of an endpoint that were sent to their client. On `shard` only.
  public func countDatagramsOut(_ count: Int, shard: Int) { add(Self.datagramsOut, shard: shard, UInt64(count)) }
  /// Counts datagrams that went nowhere. On `shard` only.
  public func countDrops(_ count: Int, reason: Int, shard: Int) { add(firstDrop + reason, shard: shard, UInt64(count)) }
  /// Counts a connection's or flow's end. On `shard` only.
  public func countClose(reason: Int, shard: Int) { add(Self.firstReason + reason, shard: shard) }

  /// Connections that came in, over all shards.
  public var accepted: UInt64 { sum(Self.accepted) }
  /// Tries on another endpoint after a failed connect, over all shards.
  public var retries: UInt64 { sum(Self.retries) }
  /// Datagrams from clients that were delivered, over all shards.
  public var datagramsIn: UInt64 { sum(Self.datagramsIn) }
  /// Datagrams to clients that were sent, over all shards.
  public var datagramsOut: UInt64 { sum(Self.datagramsOut) }
  /// Datagrams that were dropped for `reason`, over all shards.
  public func dropped(reason: Int) -> UInt64 { sum(firstDrop + reason) }
  /// Connections and flows that ended for `reason`, over all shards.
  public func closed(reason: Int) -> UInt64 { sum(Self.firstReason + reason) }
}
