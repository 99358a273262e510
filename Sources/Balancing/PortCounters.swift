/// What happened on one Service port, apart from its endpoints; kept over snapshots.
///
/// One row a shard, written by that shard only and read by any thread.
@safe public final class PortCounters: Sendable {
  /// Numbers of a row: accepted, retries, then one for each close reason.
  private let columns: Int
  private let shardCount: Int
  // Allocated in init, freed in deinit; whoever counts holds the port that holds this.
  nonisolated(unsafe) private let rows: UnsafeMutablePointer<Counter>

  private static let accepted = 0
  private static let retries = 1
  private static let firstReason = 2

  /// `reasonCount`: how many close reasons there are, numbered from 0.
  public init(shardCount: Int, reasonCount: Int) {
    // Rows end on a cache line of their own.
    columns = (Self.firstReason + reasonCount + 8) & ~7
    self.shardCount = shardCount
    unsafe rows = .allocate(capacity: columns * shardCount)
    for index in 0..<columns * shardCount { unsafe (rows + index).initialize(to: Counter()) }
  }

  deinit {
    unsafe rows.deinitialize(count: columns * shardCount)
    unsafe rows.deallocate()
  }

  private func add(_ column: Int, shard: Int) {
    precondition(column < columns && shard < shardCount, "no such counter")
    unsafe rows[shard * columns + column].add()
  }

  private func sum(_ column: Int) -> UInt64 {
    precondition(column < columns, "no such counter")
    return (0..<shardCount).reduce(0) { unsafe $0 + rows[$1 * columns + column].current }
  }

  /// Counts a connection that came in. On `shard` only.
  public func countAccepted(shard: Int) { add(Self.accepted, shard: shard) }
  /// Counts another try after a failed connect. On `shard` only.
  public func countRetry(shard: Int) { add(Self.retries, shard: shard) }
  /// Counts a connection's end. On `shard` only.
  public func countClose(reason: Int, shard: Int) { add(Self.firstReason + reason, shard: shard) }

  /// Connections that came in, over all shards.
  public var accepted: UInt64 { sum(Self.accepted) }
  /// Tries on another endpoint after a failed connect, over all shards.
  public var retries: UInt64 { sum(Self.retries) }
  /// Connections that ended for `reason`, over all shards.
  public func closed(reason: Int) -> UInt64 { sum(Self.firstReason + reason) }
}
