import Synchronization

/// An endpoint of one Service port with its live counts; outlives the snapshots that name it.
///
/// Shared by all shards. ``active`` is written by all of them, the counters by one shard each.
@safe public final class EndpointState: Sendable {
  public let endpoint: Endpoint
  /// Open and opening connections, over all shards. Least-connections reserves here.
  public let active = Atomic<Int>(0)
  // Allocated in init, freed in deinit; a connection holds the state for as long as it counts.
  nonisolated(unsafe) private let counters: UnsafeMutablePointer<PaddedCounters>
  private let shardCount: Int

  // A cache line pair for each shard, so that no two shards write to one.
  private struct PaddedCounters: ~Copyable {
    let counters = TrafficCounters()
    let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
      (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  }

  /// Counters are made for shards 0 to `shardCount` - 1.
  public init(_ endpoint: Endpoint, shardCount: Int) {
    self.endpoint = endpoint
    self.shardCount = shardCount
    unsafe counters = .allocate(capacity: shardCount)
    for shard in 0..<shardCount { unsafe (counters + shard).initialize(to: PaddedCounters()) }
  }

  deinit {
    unsafe counters.deinitialize(count: shardCount)
    unsafe counters.deallocate()
  }

  /// The counters that `shard` writes; valid while this state lives.
  @unsafe public func counters(ofShard shard: Int) -> UnsafeMutablePointer<TrafficCounters> {
    precondition((0..<shardCount).contains(shard), "no such shard")
    // The counters are the first field, so both have one address.
    return unsafe UnsafeMutableRawPointer(counters + shard).assumingMemoryBound(to: TrafficCounters.self)
  }

  /// The sums over all shards. Any thread may ask.
  public var traffic: Traffic {
    var sum = Traffic()
    for shard in 0..<shardCount {
      let one = unsafe counters(ofShard: shard)
      sum.connections += unsafe one.pointee.connections.current
      sum.connectFailures += unsafe one.pointee.connectFailures.current
      sum.bytesIn += unsafe one.pointee.bytesIn.current
      sum.bytesOut += unsafe one.pointee.bytesOut.current
    }
    return sum
  }

  /// ``TrafficCounters`` as plain numbers.
  public struct Traffic: Hashable, Sendable {
    public var connections: UInt64 = 0
    public var connectFailures: UInt64 = 0
    public var bytesIn: UInt64 = 0
    public var bytesOut: UInt64 = 0

    public init(connections: UInt64 = 0, connectFailures: UInt64 = 0, bytesIn: UInt64 = 0, bytesOut: UInt64 = 0) {
      self.connections = connections
      self.connectFailures = connectFailures
      self.bytesIn = bytesIn
      self.bytesOut = bytesOut
    }

    public static func += (sum: inout Traffic, more: Traffic) {
      sum.connections += more.connections
      sum.connectFailures += more.connectFailures
      sum.bytesIn += more.bytesIn
      sum.bytesOut += more.bytesOut
    }
  }
}
