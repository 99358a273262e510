import Balancing

/// How long to wait after failures in a row: 1 s to 30 s.
///
/// After the first 1 to 1.5 s, then twice that each time, up to 20 to 30 s: the third part by chance, so that the
/// clients of a server that comes back do not all ask at once.
struct Backoff: Sendable {
  /// In seconds.
  static let longest = 30.0

  private(set) var failures = 0
  private var random: RandomSource

  init(random: RandomSource) { self.random = random }

  /// Counts a failure; returns how long to wait, in seconds, at least as long as the server asks for.
  mutating func delay(retryAfter: Double? = nil) -> Double {
    let base = min(Double(1 << min(failures, 5)), 20)
    failures += 1
    return max(base * Double.random(in: 1..<1.5, using: &random), retryAfter ?? 0)
  }

  /// Begins anew, after something went well.
  mutating func reset() { failures = 0 }

  /// The time that the server is asked to end a watch after, in seconds: 300 to 600, so that not all end at once.
  mutating func watchTime() -> Int { Int.random(in: 300...600, using: &random) }
}
