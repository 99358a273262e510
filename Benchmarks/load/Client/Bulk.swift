import EventLoop

/// Streams of bytes, up, down or both ways. Lives on its run's loop.
final class Bulk: Work {
  enum Direction: String {
    case up
    case down
    case both
  }

  let direction: Direction
  let input = Buffer(size: Buffer.bulk)
  let output = Buffer(size: Buffer.bulk)
  private let target: Target
  private var sources: SourceAddresses?
  private let concurrency: Int
  private var run: Run?
  private var streams: [BulkStream] = []
  private var toReopen: [BulkStream] = []
  private var isOver = false
  /// The shortest window, in nanoseconds, in which each stream has to move.
  private static let shortestJudged: UInt64 = 100_000_000

  init(_ direction: Direction, target: Target, concurrency: Int, sources: SourceAddresses?) {
    self.direction = direction
    self.target = target
    self.concurrency = concurrency
    self.sources = sources
  }

  func populate(_ run: Run) {
    self.run = run
    streams = (0..<concurrency).map { _ in BulkStream(run: run, bulk: self) }
  }

  func connect() throws(Errno) -> OwnedDescriptor { try target.connect(from: sources?.next()) }

  /// How many bytes may go or come in one call.
  @inline(__always) var wanted: Int { run?.wanted ?? 0 }

  @inline(__always) func moved(_ count: Int) { run?.add(count) }

  func reopen(_ stream: BulkStream) { if !isOver { toReopen.append(stream) } }

  override func begin() { for stream in streams { stream.open() } }

  override func sweep(at now: UInt64) {
    let failed = toReopen
    toReopen = []
    for stream in failed where !isOver { stream.open() }
  }

  override func windowBegan(at now: UInt64) { for stream in streams { stream.windowBegan() } }

  override func windowEnded(at now: UInt64) {
    isOver = true
    // Where nothing moved at all, the run says so itself; a count may be reached before each stream had its turn.
    if let run, run.units > 0, now &- run.windowStart >= Self.shortestJudged {
      for stream in streams { stream.failIfSilent() }
    }
    // What goes up is told to have ended, and the server tells how much of it came.
    for stream in streams where direction != .down && stream.finish() { run?.hold() }
  }

  override var isAtRest: Bool { false }

  override func close() {
    isOver = true
    for stream in streams { stream.close() }
  }
}
