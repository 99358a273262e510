import EventLoop
import Glibc

/// A client over TCP: connects, asks, reads the reply, does as its crowd's habit says.
///
/// | state | in it | leaves for |
/// |---|---|---|
/// | `closed` | there is no connection | `asking` |
/// | `asking` | it connects, or a part of the request is still to go | `reading` |
/// | `reading` | the reply is awaited, or a part of it is here | `asking`, `idle`, `ending`, `closed` |
/// | `idle` | nothing is under way | `asking`, `closed` |
/// | `ending` | the reply is here, the server's close is awaited | `closed` |
class TCPClient: Client {
  private enum State {
    case closed
    case asking
    case reading
    case idle
    case ending
  }

  /// What a part of a reply makes of it.
  enum Reply {
    case isPartial
    case isWhole
    /// It is whole, and the server closes the connection after it.
    case isLast
    case isWrong
  }

  let input: Buffer
  let output: Buffer
  private let habit: Crowd.Habit
  private let requestLength: Int
  private let replyLength: Int
  private var state = State.closed
  /// Bytes of the request that have gone.
  private var sent = 0
  /// Bytes of the reply that are here.
  private(set) var received = 0

  override init(run: Run, crowd: Crowd, number: Int) {
    input = crowd.input
    output = crowd.request
    habit = crowd.habit
    requestLength = crowd.requestLength
    replyLength = crowd.options.replyLength
    super.init(run: run, crowd: crowd, number: number)
  }

  // MARK: - Protocol

  /// Makes `output` this client's request.
  func writeRequest() { output.writeSequence(sequence) }

  /// Takes `count` bytes of the reply, which are in `input` and come after ``received`` others.
  func take(_ count: Int) -> Reply {
    if received < Header.size {
      output.writeSequence(sequence)
      guard input.begins(as: output, from: received, count: min(count, Header.size &- received)) else {
        return .isWrong
      }
    }
    let total = received &+ count
    return total < replyLength ? .isPartial : total == replyLength ? .isWhole : .isWrong
  }

  /// Whether the end of the connection makes what came of the reply whole.
  func isWholeAtEnd() -> Bool { false }

  // MARK: - Asking

  override func open() {
    let now = Clock.now
    guard run.begin() else { return }
    isUnderWay = true
    do {
      attach(try unsafe crowd.connect())
    } catch { return fail(error) }
    // What nobody has planned belongs to no window.
    request(startedAt: habit == .waitsForItsTurn ? 0 : now, now: now)
  }

  override func request(startedAt start: UInt64, now: UInt64) {
    startedAt = start
    sentAt = now
    isUnderWay = true
    sequence &+= 1
    sent = 0
    received = 0
    send()
  }

  private func send() {
    writeRequest()
    while true {
      let count = output.send(to: descriptor, from: sent, count: requestLength &- sent)
      guard count >= 0 else {
        let error = Errno.current
        guard error.isWouldBlock else { return fail(error) }
        // Not connected yet, or no room.
        if state != .asking {
          state = .asking
          watch(.write)
        }
        return
      }
      sent &+= count
      if sent == requestLength { break }
    }
    if state == .asking || state == .closed { watch(.read) }
    state = .reading
  }

  // MARK: - Reading

  override func ready(_ events: Readiness, on descriptor: CInt) {
    switch state {
    case .reading: read(descriptor)
    case .asking: send()
    case .ending: readEnd(descriptor)
    case .idle: readUnasked(descriptor)
    case .closed: break
    }
  }

  private func read(_ descriptor: CInt) {
    let count = input.receive(from: descriptor)
    if count > 0 {
      switch take(count) {
      case .isPartial: received &+= count
      case .isWhole:
        received &+= count
        succeed()
      case .isLast:
        received &+= count
        succeed(isLast: true)
      case .isWrong: fail(.wrongReply, "the reply is not what was asked for")
      }
    } else if count == 0 {
      if isWholeAtEnd() { return succeed(isAtEnd: true) }
      fail(.earlyClose, "closed after \(received) bytes of the reply")
    } else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
    }
  }

  /// The reply is here. Nothing can be asked again after the last of a connection, which the server may have closed.
  private func succeed(isLast: Bool = false, isAtEnd: Bool = false) {
    if habit == .awaitsClose, !isAtEnd { return state = .ending }
    let now = Clock.now
    switch habit {
    case .asksAgain:
      state = .idle
      finish(at: now, bytes: received)
      if isLast || isAtEnd {
        close()
        open()
      } else if run.begin() {
        request(startedAt: now, now: now)
      } else {
        close()
      }
    case .waitsForItsTurn:
      state = .idle
      finish(at: now, bytes: received)
      if isLast || isAtEnd {
        guard run.phase != .over, reconnect() else { return }
      }
      unsafe crowd.pacer?.take(self, at: now)
    case .closes, .awaitsClose:
      // Closed before it counts: the run may end by it.
      isUnderWay = false
      state = .closed
      detach()
      finish(at: now, bytes: received)
      open()
    case .stays:
      state = .idle
      finish(at: now, bytes: received)
    }
  }

  /// Connects again for a request that is not due yet; false when that has failed.
  private func reconnect() -> Bool {
    close()
    do { attach(try unsafe crowd.connect()) } catch {
      fail(error)
      return false
    }
    return true
  }

  private func readEnd(_ descriptor: CInt) {
    let count = input.receive(from: descriptor)
    if count == 0 {
      succeed(isAtEnd: true)
    } else if count > 0 {
      fail(.wrongReply, "\(count) bytes came after the reply")
    } else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
    }
  }

  private func readUnasked(_ descriptor: CInt) {
    let count = input.receive(from: descriptor)
    if count == 0 {
      fail(.earlyClose, "closed while nothing was asked")
    } else if count > 0 {
      fail(.wrongReply, "\(count) bytes came without a request")
    } else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
    }
  }

  // MARK: - Ends

  override func sweep(at now: UInt64) {
    if now > sentAt, now &- sentAt > run.patience { fail(.timeout, "no reply within \(run.limits.patience) s") }
  }

  override func close() {
    state = .closed
    super.close()
  }
}
