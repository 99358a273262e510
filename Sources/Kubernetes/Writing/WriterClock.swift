import FoundationEssentials

/// Time, as the writers see it; tests bring their own.
public struct WriterClock: Sendable {
  /// Seconds from some moment on, of a clock that nobody sets.
  public var uptime: @Sendable () -> Double
  /// What the machine believes the time to be, in seconds since 1970.
  public var unixTime: @Sendable () -> Double
  /// Returns after so many seconds, or at once when the task is cancelled.
  public var sleep: @Sendable (Double) async -> Void

  public init(
    uptime: @escaping @Sendable () -> Double, unixTime: @escaping @Sendable () -> Double,
    sleep: @escaping @Sendable (Double) async -> Void
  ) {
    self.uptime = uptime
    self.unixTime = unixTime
    self.sleep = sleep
  }

  /// The machine's.
  public static var system: WriterClock {
    let start = ContinuousClock.now
    return WriterClock(
      uptime: { (ContinuousClock.now - start) / .seconds(1) }, unixTime: { Date().timeIntervalSince1970 },
      sleep: { seconds in try? await Task.sleep(for: .seconds(seconds)) })
  }

  /// Now, in UTC to the second, as `2026-01-31T12:00:00Z` (RFC 3339).
  var text: String { Date(timeIntervalSince1970: unixTime().rounded(.down)).formatted(.iso8601) }
}
