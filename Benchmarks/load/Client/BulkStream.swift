import CLibEv
import EventLoop
import Glibc

/// One stream of bytes without end: to the server, from it, or both. Lives on its run's loop.
///
/// | state | in it | leaves for |
/// |---|---|---|
/// | `flowing` | the request goes, or the reply comes, or both | `ending`, `closed` |
/// | `ending` | the request has ended, the server's count is awaited | `closed` |
/// | `closed` | there is no connection | `flowing` |
final class BulkStream: EventHandler {
  private enum State {
    case flowing
    case ending
    case closed
  }

  private let run: Run
  private unowned(unsafe) let bulk: Bulk
  private let input: Buffer
  private let output: Buffer
  private let direction: Bulk.Direction
  private var watcher: ReadinessWatcher?
  private var state = State.closed
  private var header = Header(requestLength: 0, replyLength: 0)
  private var sent = 0
  private var received = 0
  // What of these went before the window, or before this connection.
  private var sentBefore = 0
  private var receivedBefore = 0
  /// Whether it has failed in the window, which is an error already.
  private var hasFailed = false
  /// The count at the end of an upload, as far as it is here; the last 8 bytes of a reply that has others.
  private var count: [UInt8] = []
  private(set) var isOpened = false

  init(run: Run, bulk: Bulk) {
    self.run = run
    unsafe self.bulk = bulk
    input = bulk.input
    output = bulk.output
    direction = bulk.direction
  }

  /// Connects, and begins to flow.
  func open() {
    sent = 0
    received = 0
    sentBefore = 0
    receivedBefore = 0
    count = []
    header = Header(
      requestLength: direction == .down ? UInt64(Header.size) : Header.endless,
      replyLength: direction == .up ? 0 : Header.endless)
    do {
      watcher = ReadinessWatcher(loop: run.loop, descriptor: try unsafe bulk.connect(), handler: self)
    } catch { return fail(error) }
    state = .flowing
    watcher?.watch(direction == .both ? [.read, .write] : .write)
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    switch state {
    case .flowing:
      if events.contains(.write) { send(descriptor) }
      if events.contains(.read), state == .flowing { receive(descriptor) }
    case .ending: if direction == .both { receiveEnd(descriptor) } else { receiveCount(descriptor) }
    case .closed: break
    }
  }

  private func send(_ descriptor: CInt) {
    let wanted = direction == .down ? Header.size &- sent : unsafe bulk.wanted
    guard wanted > 0 else { return watch(direction == .both ? .read : []) }
    var offset = 0
    if sent < Header.size {
      output.write(header)
      offset = sent
    }
    let went = output.send(to: descriptor, from: offset, count: min(output.size &- offset, wanted))
    guard went >= 0 else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
      return
    }
    sent &+= went
    if direction == .down {
      if sent == Header.size { watcher?.watch(.read) }
      return
    }
    noteOpened()
    unsafe bulk.moved(went)
  }

  private func receive(_ descriptor: CInt) {
    let wanted = unsafe bulk.wanted
    guard wanted > 0 else { return watch(direction == .both ? .write : []) }
    let came = input.receive(from: descriptor, most: wanted)
    if came > 0 {
      guard isAsAsked(came) else { return fail(.wrongReply, "the reply is not what was asked for") }
      received &+= came
      noteOpened()
      unsafe bulk.moved(came)
    } else if came == 0 {
      fail(.earlyClose, "closed after \(received) bytes")
    } else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
    }
  }

  /// Whether what came is of the reply that was asked for; looks at its header alone.
  @inline(__always) private func isAsAsked(_ came: Int) -> Bool {
    guard received < Header.size else { return true }
    output.write(header)
    return input.begins(as: output, from: received, count: min(came, Header.size &- received))
  }

  private func watch(_ events: Readiness) { watcher?.watch(events) }

  private func noteOpened() {
    guard !isOpened else { return }
    isOpened = true
    run.clientOpened()
  }

  // MARK: - The window

  func windowBegan() {
    sentBefore = sent
    receivedBefore = received
    hasFailed = false
  }

  /// An error when a way that is to flow has moved nothing in the window, which is over.
  func failIfSilent() {
    guard state == .flowing, !hasFailed else { return }
    if direction != .down, sent == sentBefore { return fail(.timeout, "a stream sent nothing in the window") }
    if direction != .up, received == receivedBefore { fail(.timeout, "a stream received nothing in the window") }
  }

  // MARK: - Ends

  /// Ends the request; the server's count is waited for. False when there is nothing to wait for.
  func finish() -> Bool {
    guard state == .flowing, let descriptor = watcher?.descriptor else { return false }
    // Of both ways the window may end before the request is one.
    if direction == .both, sent < Header.size { return false }
    guard shutdown(descriptor, CInt(SHUT_WR)) == 0 else {
      fail(.current)
      return false
    }
    state = .ending
    watcher?.watch(.read)
    return true
  }

  private func receiveCount(_ descriptor: CInt) {
    let came = input.receive(from: descriptor)
    if came > 0 {
      count += input.copy(came)
      run.note()
      guard count.count >= 8 else { return }
      check(isWhole: count.count == 8)
    } else if came == 0 {
      fail(.earlyClose, "closed without a count of what came")
    } else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
    }
  }

  /// What is left of an endless reply: its last 8 bytes are the count.
  private func receiveEnd(_ descriptor: CInt) {
    let came = input.receive(from: descriptor)
    if came > 0 {
      guard isAsAsked(came) else { return fail(.wrongReply, "the reply is not what was asked for") }
      received &+= came
      count = Array((count + input.copy(from: max(came &- 8, 0), min(came, 8))).suffix(8))
      run.note()
    } else if came == 0 {
      guard received >= Header.size &+ 8, count.count == 8 else {
        return fail(.earlyClose, "closed without a count of what came")
      }
      check(isWhole: true)
    } else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
    }
  }

  /// Holds the server's count against what was sent, and closes.
  private func check(isWhole: Bool) {
    let told = count.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    guard isWhole, told == UInt64(sent) else {
      return fail(.wrongReply, "the server has counted \(told) of \(sent) bytes")
    }
    close()
    run.abandon()
  }

  private func fail(_ kind: ErrorKind, _ text: @autoclosure () -> String) {
    let wasEnding = state == .ending
    hasFailed = true
    close()
    run.fail(kind, text())
    unsafe bulk.reopen(self)
    if wasEnding { run.abandon() }
  }

  private func fail(_ error: Errno) { fail(.of(error), "\(error)") }

  func close() {
    state = .closed
    watcher = nil
  }
}
