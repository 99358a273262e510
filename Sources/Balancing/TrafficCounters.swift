import Synchronization

/// What passed to and from one endpoint on one shard. Written by that shard only, read by any thread.
public struct TrafficCounters: ~Copyable, Sendable {
  /// Connections that the endpoint accepted.
  public let connections = Counter()
  /// Tries to connect that it refused or left unanswered.
  public let connectFailures = Counter()
  /// Bytes from clients to the endpoint.
  public let bytesIn = Counter()
  /// Bytes from the endpoint to clients.
  public let bytesOut = Counter()

  public init() {}
}

/// A number with one writer: a relaxed load and store, no locked instruction.
public struct Counter: ~Copyable, Sendable {
  @usableFromInline let value = Atomic<UInt64>(0)

  public init() {}

  /// Adds `amount`. By the one writer only.
  @inlinable public func add(_ amount: UInt64 = 1) {
    value.store(value.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }

  /// The current number. Any thread may ask.
  @inlinable public var current: UInt64 { value.load(ordering: .relaxed) }
}
