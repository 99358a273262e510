import Glibc

/// Time as the watches take it: the system's, or a test's own.
public struct ClusterClock: Sendable {
  /// Seconds of Unix time, for people.
  public var unixTime: @Sendable () -> Int
  /// Seconds since some moment, monotonic.
  public var seconds: @Sendable () -> Double
  /// Waits so many seconds; returns early when the task is cancelled.
  public var sleep: @Sendable (Double) async -> Void

  public init(
    unixTime: @escaping @Sendable () -> Int, seconds: @escaping @Sendable () -> Double,
    sleep: @escaping @Sendable (Double) async -> Void
  ) {
    self.unixTime = unixTime
    self.seconds = seconds
    self.sleep = sleep
  }

  private static let start = ContinuousClock.now

  /// The system's clocks.
  public static let system = ClusterClock(
    unixTime: { time(nil) },
    seconds: {
      let (seconds, attoseconds) = (ContinuousClock.now - start).components
      return Double(seconds) + Double(attoseconds) / 1e18
    },
    sleep: { try? await Task.sleep(for: .seconds($0)) })
}
