import EventLoop
import Glibc

/// One of those that ask at the same time: a connection or a flow, and after it the next. Lives on its run's loop.
class Client: EventHandler {
  let run: Run
  /// What it shares with all others of its run.
  unowned(unsafe) let crowd: Crowd
  var watcher: ReadinessWatcher?
  /// When the request under way was sent first, or was due.
  var startedAt: UInt64 = 0
  /// When it was sent last.
  var sentAt: UInt64 = 0
  var isUnderWay = false
  /// Whether it waits for its turn.
  var isFree = false
  var sequence: UInt64
  private var isOpened = false

  init(run: Run, crowd: Crowd, number: Int) {
    self.run = run
    unsafe self.crowd = crowd
    sequence = UInt64(number) << 32
  }

  /// Connects, and begins with its first request.
  func open() { preconditionFailure("subclasses open") }

  /// Sends the next request, of which the run knows.
  func request(startedAt start: UInt64, now: UInt64) { preconditionFailure("subclasses ask") }

  /// Looks whether its request takes too long.
  func sweep(at now: UInt64) { preconditionFailure("subclasses sweep") }

  /// Closes without a word.
  func close() {
    isUnderWay = false
    isFree = false
    watcher = nil
  }

  /// The request under way has ended well.
  @inline(__always) func finish(at now: UInt64, bytes: Int) {
    isUnderWay = false
    run.finish(startedAt: startedAt, now: now, bytes: bytes)
    if !isOpened { reportOpened() }
  }

  private func reportOpened() {
    isOpened = true
    unsafe crowd.clientOpened()
  }

  /// Closes after an error; the crowd opens it again.
  func fail(_ kind: ErrorKind, _ text: @autoclosure () -> String) {
    let wasUnderWay = isUnderWay
    close()
    run.fail(kind, text())
    unsafe crowd.reopen(self)
    if wasUnderWay { run.abandon() }
  }

  /// The same after a system call.
  func fail(_ error: Errno) { fail(.of(error), "\(error)") }
}
