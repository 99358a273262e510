import EventLoop
import TestKit

/// Drives a loop on the calling thread until something is so. It is the only one to do that while it lives.
final class LoopDriver: EventHandler {
  private let loop: EventLoop
  private var timer: TimerWatcher?
  private var condition: () throws -> Bool = { true }
  private var deadline = Deadline.after(.zero)
  private var result: Result<Bool, any Error>?

  init(_ loop: EventLoop) {
    self.loop = loop
    super.init()
    timer = TimerWatcher(loop: loop, handler: self)
  }

  /// Turns the loop until `condition`, looked at every 2 ms, holds; throws when it does not in time.
  func drive(
    until what: String, within span: Duration = .seconds(10), _ condition: @escaping () throws -> Bool
  ) throws {
    self.condition = condition
    deadline = .after(span)
    result = nil
    timer?.schedule(after: 0)
    loop.run()
    if try result?.get() != true { throw TestFailure("\(what): not within \(span)") }
    self.condition = { true }
  }

  /// Turns the loop for a time in which something is not to happen.
  func drive(for span: Duration) throws {
    let end = Deadline.after(span)
    try drive(until: "the end of the time", within: span + .seconds(5)) { end.hasPassed }
  }

  override func timerFired() {
    do {
      if try condition() {
        result = .success(true)
      } else if deadline.hasPassed {
        result = .success(false)
      }
    } catch { result = .failure(error) }
    if result == nil { timer?.schedule(after: 0.002) } else { loop.stop() }
  }
}
