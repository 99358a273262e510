import Admin
import EventLoop

/// Gives every request the same answer, each the same time after it came. Loop only.
final class LateAnswers: EventHandler {
  private let loop: EventLoop
  private let response: HTTPResponse
  private let seconds: Double
  private var timer: TimerWatcher?
  // In order of their time, since all wait equally long; the loop's seconds.
  private var waiting: [(due: Double, responder: HTTPResponder)] = []

  init(loop: EventLoop, response: HTTPResponse, seconds: Double) {
    self.loop = loop
    self.response = response
    self.seconds = seconds
    super.init()
    timer = TimerWatcher(loop: loop, handler: self)
  }

  func answer(_ responder: HTTPResponder) {
    waiting.append((loop.now + seconds, responder))
    if waiting.count == 1 { timer?.schedule(after: seconds) }
  }

  override func timerFired() {
    let due = waiting.prefix { $0.due <= loop.now }
    for entry in due { entry.responder.respond(response) }
    waiting.removeFirst(due.count)
    if let next = waiting.first { timer?.schedule(after: max(0, next.due - loop.now)) }
  }
}
