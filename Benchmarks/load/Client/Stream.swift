import Addresses
import EventLoop

/// Datagrams one way at an even pace, which the server counts. Lives on its run's loop.
///
/// They leave in bursts of `--segments`, one call each, on one flow after the other. The timer wakes at most every 50 µs:
/// what is due by then goes together. What could not go within 10 ms of its time is left out, not made up for.
final class Stream: Work {
  struct Options {
    var target: Target
    var concurrency: Int
    var length: Int
    var rate: Double
    var segments: Int
    var sources: SourceAddresses?
  }

  private let options: Options
  private let loop: EventLoop
  private var run: Run?
  private var flows: [StreamFlow] = []
  private var pace: Pace?
  private var isOver = false

  init(loop: EventLoop, options: Options) {
    self.loop = loop
    self.options = options
  }

  /// Makes the flows. Throws what the system says.
  func populate(_ run: Run) throws(Errno) {
    self.run = run
    var sources = options.sources
    let train = SegmentTrain(length: options.length, segments: options.segments)
    // Neighbours in the server's table: those of the warm-up, and those that count.
    let base = UInt32.random(in: 0...UInt32.max)
    let count = UInt32(options.concurrency)
    for number in 0..<count {
      let socket = try options.target.connect(from: sources?.next())
      flows.append(
        try StreamFlow(
          run: run, socket: socket, train: train, warmUp: base &+ number, counted: base &+ count &+ number))
    }
    pace = try Pace(run: run, flows: flows, rate: options.rate, segments: options.segments)
  }

  override func begin() {
    for _ in flows { run?.clientOpened() }
    pace?.begin(at: Clock.now)
  }

  override func windowBegan(at now: UInt64) { for flow in flows { flow.count() } }

  override func windowEnded(at now: UInt64) {
    pace?.end()
    isOver = true
    for flow in flows {
      run?.hold()
      flow.ask(at: now)
    }
  }

  override func sweep(at now: UInt64) {
    guard isOver else { return }
    for flow in flows { flow.askAgain(at: now) }
  }

  override var isAtRest: Bool { false }

  override func close() {
    pace?.end()
    for flow in flows { flow.close() }
  }
}
