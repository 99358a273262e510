import EventLoop

/// Lets the flows of a stream send in turns, at their times. Lives on its run's loop.
final class Pace: EventHandler {
  private let run: Run
  private let flows: [StreamFlow]
  private let segments: Int
  /// Nanoseconds from one burst to the next.
  private let distance: Double
  private var timer: MomentTimer?
  /// When the next burst is due.
  private var due = 0.0
  private var turn = 0
  private var isOver = false

  private static let shortestWait: UInt64 = 50_000
  private static let mostBehind = 10_000_000.0

  init(run: Run, flows: [StreamFlow], rate: Double, segments: Int) throws(Errno) {
    self.run = run
    self.flows = flows
    self.segments = segments
    distance = 1e9 * Double(segments) / rate
    super.init()
    timer = try MomentTimer(loop: run.loop, handler: self)
  }

  func begin(at now: UInt64) {
    due = Double(now)
    timer?.arm(at: now)
  }

  func end() {
    isOver = true
    timer?.arm(at: 0)
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    let now = Clock.now
    let time = Double(now)
    if time - due > Self.mostBehind { due = time - Self.mostBehind }
    while due <= time, !isOver {
      // The last burst of a count may be shorter.
      flows[turn].send(min(segments, run.unsent))
      turn = turn + 1 < flows.count ? turn + 1 : 0
      due += distance
    }
    if !isOver { timer?.arm(at: max(UInt64(due), now &+ Self.shortestWait)) }
  }
}
