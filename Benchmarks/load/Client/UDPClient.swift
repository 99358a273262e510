import EventLoop
import Glibc

/// A client over UDP: a flow of one socket, with one datagram under way.
///
/// A datagram without a reply after a second is lost, and sent again with another sequence number; a reply to an old
/// number is too late, and no error.
final class UDPClient: Client {
  private let input: Buffer
  private let output: Buffer
  private let habit: Crowd.Habit
  private let requestLength: Int
  private let replyLength: Int
  /// The first number of this socket: what is older is a stranger's.
  private var firstSequence: UInt64 = 0

  private static let timeout: UInt64 = 1_000_000_000

  override init(run: Run, crowd: Crowd, number: Int) {
    input = crowd.input
    output = crowd.request
    habit = crowd.habit
    requestLength = crowd.options.requestLength
    replyLength = crowd.options.replyLength
    super.init(run: run, crowd: crowd, number: number)
  }

  override func open() {
    let now = Clock.now
    guard run.begin() else { return }
    isUnderWay = true
    firstSequence = sequence &+ 1
    do {
      attach(try unsafe crowd.connect())
    } catch { return fail(error) }
    watch(.read)
    // What nobody has planned belongs to no window.
    request(startedAt: habit == .waitsForItsTurn ? 0 : now, now: now)
  }

  override func request(startedAt start: UInt64, now: UInt64) {
    startedAt = start
    send(now)
  }

  private func send(_ now: UInt64) {
    sentAt = now
    isUnderWay = true
    sequence &+= 1
    output.writeSequence(sequence)
    if output.send(to: descriptor, from: 0, count: requestLength) < 0 {
      let error = Errno.current
      // Without room it is lost on this side already.
      if !error.isWouldBlock, error.rawValue != ENOBUFS { fail(error) }
    }
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    let count = input.receive(from: descriptor)
    guard count >= 0 else {
      let error = Errno.current
      if !error.isWouldBlock { fail(error) }
      return
    }
    output.writeSequence(sequence)
    guard isUnderWay, count == replyLength, input.begins(as: output, from: 0, count: Header.size) else {
      return judge(count)
    }
    let now = Clock.now
    finish(at: now, bytes: count)
    switch habit {
    case .asksAgain, .closes, .awaitsClose:
      if run.begin() { request(startedAt: now, now: now) } else { close() }
    case .waitsForItsTurn: unsafe crowd.pacer?.take(self, at: now)
    case .stays: break
    }
  }

  /// A datagram that is not the reply: too late, or wrong.
  private func judge(_ count: Int) {
    if count == replyLength, let header = input.header, header.sequence >= firstSequence, header.sequence <= sequence {
      return
    }
    fail(.wrongReply, "\(count) bytes are not what was asked for")
  }

  override func sweep(at now: UInt64) {
    guard now > sentAt, now &- sentAt > Self.timeout else { return }
    run.lose(sentAt: sentAt)
    // What was due in an open loop is asked for until it is answered; others wait for its flow, too.
    guard run.phase != .draining || habit == .waitsForItsTurn else {
      close()
      return run.abandon()
    }
    send(now)
  }
}
