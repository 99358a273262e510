import Glibc

/// The moment until which a test waits for a condition, on the monotonic clock.
public struct Deadline: Sendable {
  private let instant: ContinuousClock.Instant
  private let span: Duration

  /// A deadline `span` from now.
  public static func after(_ span: Duration) -> Deadline {
    Deadline(instant: .now + span, span: span)
  }

  /// What is left; zero once the moment has passed.
  public var remaining: Duration { max(.zero, instant - .now) }

  public var hasPassed: Bool { instant <= .now }

  /// What is left in milliseconds, rounded up, as poll(2) wants it.
  var remainingMilliseconds: CInt {
    let (seconds, attoseconds) = remaining.components
    return CInt(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  /// The failure of whoever waited in vain for `what`.
  func failure(_ what: String) -> TestFailure { TestFailure("\(what): not within \(span)") }

  /// Blocks until a descriptor is ready for `events` (poll(2)) or the deadline passes; false then.
  func waits(for descriptor: CInt, _ events: CInt) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    while true {
      let ready = unsafe poll(&entry, 1, remainingMilliseconds)
      if ready > 0 { return true }
      if ready == 0 && hasPassed { return false }
    }
  }
}

/// Waits until `condition` holds; throws when it does not within `span`.
///
/// For conditions that nothing announces: it looks every 2 ms.
public func eventually(
  _ what: String, within span: Duration = .seconds(10), _ condition: () throws -> Bool
) throws {
  let deadline = Deadline.after(span)
  while try !condition() {
    guard !deadline.hasPassed else { throw deadline.failure(what) }
    _ = poll(nil, 0, 2)
  }
}

/// Lets time pass where time itself is the subject: a peer that answers late, a reader that stalls.
public func stall(_ span: Duration) {
  let deadline = Deadline.after(span)
  while !deadline.hasPassed { _ = poll(nil, 0, deadline.remainingMilliseconds) }
}
