/// How things stand with the API server, from how each kind's watch fares. Pure: time is an argument, in seconds.
///
/// Out of reach are kinds whose watch has been failing for more than ``tolerance``. A kind that has failed counts as
/// running again once its watch has told something, or has been open for ``probation``: one that is always accepted
/// and always broken is still broken.
struct ConnectionTracker: Sendable {
  /// Longest failing that is no news, in seconds.
  static let tolerance = 2.0
  /// How long a watch that brings nothing must have been open after a failure, in seconds.
  static let probation = 1.0

  private struct Course {
    var isRunning = false
    // Both of the monotonic clock.
    var openedAt: Double?
    var failingSince: Double?
    var unixFailingSince = 0
    var failure: WatchFailure?
  }

  private(set) var connection = ClusterSnapshot.Connection.connecting
  private var courses: [ObjectKind: Course]

  /// Only core kinds tell: a custom resource may be missing.
  init(kinds: some Sequence<ObjectKind>) {
    courses = Dictionary(uniqueKeysWithValues: kinds.filter(\.isCore).map { ($0, Course()) })
  }

  /// The server accepted a watch.
  mutating func opened(_ kind: ObjectKind, now: Double) {
    courses[kind]?.openedAt = now
    if courses[kind]?.failingSince == nil { courses[kind]?.isRunning = true }
  }

  /// The watch told something.
  mutating func proved(_ kind: ObjectKind) {
    guard courses[kind]?.failingSince != nil else { return }
    courses[kind]?.failingSince = nil
    courses[kind]?.isRunning = true
  }

  /// A list or a watch failed.
  mutating func failed(_ kind: ObjectKind, _ failure: WatchFailure, now: Double, unixTime: Int) {
    guard var course = courses[kind] else { return }
    course.isRunning = false
    course.openedAt = nil
    if course.failingSince == nil {
      course.failingSince = now
      course.unixFailingSince = unixTime
    }
    // The words of the first are kept while it is the same trouble: they may tell milliseconds.
    if !failure.isLike(course.failure) { course.failure = failure }
    courses[kind] = course
  }

  /// Decides anew; returns whether ``connection`` is another one now.
  mutating func evaluate(now: Double, unixTime: Int) -> Bool {
    for (kind, course) in courses {
      if let openedAt = course.openedAt, now - openedAt >= Self.probation { proved(kind) }
    }
    let before = connection
    let overdue = courses.filter { $0.value.failingSince.map { now - $0 > Self.tolerance } ?? false }
    if let first = overdue.keys.min(), let course = courses[first] {
      let since = overdue.values.map(\.unixFailingSince).min() ?? unixTime
      connection = .unreachable(since: since, reason: course.failure.map { "\(first.rawValue): \($0)" } ?? "")
    } else if courses.values.allSatisfy(\.isRunning) {
      if case .connected = connection {} else { connection = .connected(since: unixTime) }
    }
    return connection != before
  }

  /// When to ``evaluate(now:unixTime:)`` next although nothing happens, in seconds from now; nil: no need.
  func delay(now: Double) -> Double? {
    courses.values.compactMap { course in
      guard let failingSince = course.failingSince else { return nil }
      if let openedAt = course.openedAt { return openedAt + Self.probation - now }
      // More than the tolerance, so a little later; what is overdue already waits for a watch.
      return now - failingSince > Self.tolerance ? nil : failingSince + Self.tolerance + 0.01 - now
    }.min().map { max($0, 0.01) }
  }
}
