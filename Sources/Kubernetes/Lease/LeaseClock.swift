import Glibc

/// Time, as ``LeaseKeeper`` sees it; tests bring their own.
struct LeaseClock: Sendable {
  /// Seconds from some moment on, of a clock that goes on while the process, or the machine, stands still.
  var now: @Sendable () -> Double
  /// What the machine believes the time to be, for people.
  var wallTime: @Sendable () -> MicroTime
  /// Returns after so many seconds, or at once when the task is cancelled.
  var sleep: @Sendable (Double) async -> Void

  /// The machine's.
  static var system: LeaseClock {
    // CLOCK_BOOTTIME, where CLOCK_MONOTONIC would leave out the time in which a machine is suspended.
    let start = ContinuousClock.now
    return LeaseClock(
      now: { (ContinuousClock.now - start) / .seconds(1) },
      wallTime: {
        var time = timespec()
        // Only as long as the call.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return MicroTime(microseconds: Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1000)
      },
      sleep: { seconds in try? await Task.sleep(for: .seconds(seconds)) })
  }
}
