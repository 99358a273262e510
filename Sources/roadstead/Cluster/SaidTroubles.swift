import Synchronization

/// What was said of the watches a short time ago: that all six of them fail for one reason is one line.
final class SaidTroubles: Sendable {
  /// Seconds after which the same is news again.
  private static let pause = Duration.seconds(30)

  private let said = Mutex<[String: ContinuousClock.Instant]>([:])

  /// Whether a line of the form `KIND: what` is to be said.
  func isNews(_ line: String) -> Bool {
    let what = String(line.split(separator: ": ", maxSplits: 1).last ?? "")
    let now = ContinuousClock.now
    return said.withLock { said in
      said = said.filter { now - $0.value < Self.pause }
      return said.updateValue(now, forKey: what) == nil
    }
  }
}
