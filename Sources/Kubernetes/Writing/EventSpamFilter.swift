/// Keeps one object from filling the cluster's event store: a burst of 25 events, then one every five minutes, as
/// client-go's EventSourceObjectSpamFilter.
struct EventSpamFilter {
  private struct Bucket {
    var tokens: Double
    var time: Double
  }

  static let burst = 25.0
  /// Seconds until one more is allowed.
  static let refillTime = 300.0
  /// Objects that are remembered; a bucket that is full again is forgotten first.
  private static let capacity = 4096

  private var buckets: [String: Bucket] = [:]

  /// Whether one more event about `object` may be sent at `now`, in seconds.
  mutating func allows(_ object: String, now: Double) -> Bool {
    var bucket = buckets[object] ?? Bucket(tokens: Self.burst, time: now)
    bucket.tokens = min(Self.burst, bucket.tokens + max(0, now - bucket.time) / Self.refillTime)
    bucket.time = now
    let isAllowed = bucket.tokens >= 1
    if isAllowed { bucket.tokens -= 1 }
    if buckets[object] == nil, buckets.count >= Self.capacity { makeRoom(now) }
    buckets[object] = bucket
    return isAllowed
  }

  private mutating func makeRoom(_ now: Double) {
    buckets = buckets.filter { $0.value.tokens + (now - $0.value.time) / Self.refillTime < Self.burst }
    // Thousands of objects are noisy at once: whose buckets they are matters less than that memory is bounded.
    if buckets.count >= Self.capacity { buckets.removeAll() }
  }
}
