import CLibEv
import EventLoop
import Glibc

/// One flow of a stream: sends datagrams, and asks at the end how many came. Lives on its run's loop.
///
/// The upper half of its sequence numbers names it to the server: one name for the warm-up, one for what counts.
final class StreamFlow: EventHandler {
  private let run: Run
  private let train: SegmentTrain
  private var watcher: ReadinessWatcher?
  private let countedName: UInt64
  private var sequence: UInt64
  /// Datagrams that count and have gone.
  private var sent = 0
  private let question = Buffer(size: 64)
  private let answer = Buffer(size: 2048)
  /// When it asked last; 0 when there is nothing to ask.
  private var askedAt: UInt64 = 0
  /// What the server has told; asked twice, for some may still be on their way.
  private var told: UInt64?

  private static let patience: UInt64 = 200_000_000
  static let answerLength = Header.size + 16

  /// On a connected socket. Throws when the kernel has no UDP_SEGMENT.
  init(run: Run, socket: consuming OwnedDescriptor, train: SegmentTrain, warmUp: UInt32, counted: UInt32) throws(Errno)
  {
    self.run = run
    self.train = train
    sequence = UInt64(warmUp) << 32
    countedName = UInt64(counted) << 32
    super.init()
    if train.segments > 1 {
      let error = clinux_set_option(socket.rawValue, CInt(IPPROTO_UDP), 103 /* UDP_SEGMENT */, CInt(train.length))
      guard error == 0 else { throw Errno(rawValue: error) }
    }
    // A burst may wait for a device.
    _ = clinux_set_option(socket.rawValue, SOL_SOCKET, SO_SNDBUF, 4 << 20)
    watcher = ReadinessWatcher(loop: run.loop, descriptor: socket, handler: self)
    watcher?.watch(.read)
  }

  /// From now on its datagrams count.
  func count() { sequence = countedName }

  func send(_ count: Int) {
    guard count > 0 else { return }
    let went = train.send(count, from: sequence, to: watcher?.descriptor ?? -1)
    guard went > 0 else {
      let error = Errno.current
      // Without room it has not been sent, which is no error, but a lower rate.
      if !error.isWouldBlock, error.rawValue != ENOBUFS { run.fail(.of(error), "\(error)") }
      return
    }
    sequence &+= UInt64(count)
    guard run.phase == .counting else { return }
    sent += count
    run.addSent(count)
  }

  // MARK: - The server's count

  /// Asks how many came.
  func ask(at now: UInt64) {
    askedAt = now
    question.write(
      Header(
        flags: .asksForCount, requestLength: UInt64(Header.size), replyLength: UInt64(Self.answerLength),
        sequence: countedName))
    // A question that cannot go is asked again.
    _ = question.send(to: watcher?.descriptor ?? -1, from: 0, count: Header.size)
  }

  /// The same, when the answer has not come, or may have been too early.
  func askAgain(at now: UInt64) {
    if askedAt > 0, now > askedAt, now &- askedAt >= Self.patience { ask(at: now) }
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    let count = answer.receive(from: descriptor)
    guard count >= 0 else {
      let error = Errno.current
      if !error.isWouldBlock { run.fail(.of(error), "\(error)") }
      return
    }
    guard askedAt > 0 else { return }
    guard count == Self.answerLength, let header = answer.header, header.flags.contains(.asksForCount),
      header.sequence == countedName
    else { return run.fail(.wrongReply, "the server's count is \(count) bytes") }
    let (datagrams, bytes) = answer.numbers
    guard datagrams >= UInt64(sent) || told == datagrams else { return told = datagrams }
    askedAt = 0
    run.addArrived(Int(clamping: datagrams), of: sent, bytes: Int(clamping: bytes))
    run.abandon()
  }

  func close() { watcher = nil }
}
