import Addresses

/// Probes at even distances, each followed by a window in which to listen for what comes back.
struct ProbeSeries: Hashable, Sendable {
  enum Step: Hashable, Sendable {
    /// Nothing to do yet.
    case wait
    /// The next probe is to be sent.
    case send
    /// The last window is over.
    case isOver
    /// The loop came too late to have listened in this window: what others said may still be unread.
    case isLate
  }

  /// How much later than wanted a window's end may be seen, in seconds.
  ///
  /// A loop that was stopped for longer may have let an answer lie, or had no room for it. Less than a window, so that
  /// all that came in the windows before is read when one is found to be over.
  static let lateness = 0.1
  /// For how long after its start what is read may have lain unread from before, in seconds.
  static let backlog = 0.05

  /// Seconds from one probe to the next.
  let distance: Double
  /// How many are to be sent.
  let count: Int
  private let start: Double
  private(set) var sent = 0
  /// When the next probe or the decision is due.
  private(set) var next: Double

  /// A series whose first probe is due at once.
  init(count: Int, distance: Double, now: Double) {
    self.count = count
    self.distance = distance
    start = now
    next = now
  }

  /// Whether a frame that is read at `now` may be of before the series.
  func mayBeOlder(_ now: Double) -> Bool { now - start < Self.backlog }

  /// Whether others that heed probes have heard two of these, and been silent since.
  func hasBeenHeard(_ now: Double) -> Bool { now - start > 1.5 * distance }

  /// What is to be done at `now`; `send` is taken as done.
  mutating func step(now: Double) -> Step {
    guard now >= next else { return .wait }
    guard sent == 0 || now <= next + Self.lateness else { return .isLate }
    guard sent < count else { return .isOver }
    sent += 1
    next = ClaimTimes.roundedUp(start + distance * Double(sent))
    return .send
  }
}
