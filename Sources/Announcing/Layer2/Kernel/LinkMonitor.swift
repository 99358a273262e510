import CLibNl
import EventLoop
import Glibc

/// Hears from the kernel of links and addresses (rtnetlink(7)). Loop only, including its end.
///
/// ```
/// phase      on                                   reports           then
/// links      the end of the dump of links                           addresses
/// addresses  the end of the dump of addresses     .complete         listening
/// listening  an event                             .event
/// links, addresses  an event or part of the dump  .event
/// listening  an overrun                           .restarted        links
/// links, addresses  an overrun, or a dump that    nothing more, until the dump's end:
///            saw a change in its midst            .restarted        links
/// any        a refused request                    nothing more      refused
/// refused    0.1 s later                          .restarted        links
/// ```
/// The kernel runs one dump at a time for a socket: hence the wait for its end.
@safe final class LinkMonitor: EventHandler {
  /// What is reported, in order.
  enum Report: Hashable, Sendable {
    /// A link or an address is there, is another one now, or is gone.
    case event(LinkEvent)
    /// All that is there has been reported since the start, or the last ``restarted``.
    case complete
    /// Something was missed: forget everything; what is there follows.
    case restarted
  }

  private enum Phase {
    case links
    case addresses
    case listening
    case refused
  }

  /// After so many messages others get their turn; those of one packet stay together.
  static let messagesPerTurn = 64
  private static let bufferSize = 32 << 10

  private let onReport: (Report) -> Void
  // Allocated in init, freed in deinit.
  private let buffer: UnsafeMutableRawBufferPointer
  private var watcher: ReadinessWatcher?
  /// The watcher's.
  private let descriptor: CInt
  private var retry: TimerWatcher?
  private var phase = Phase.refused
  /// What the dump under way tells is worth nothing: it is to begin anew once it has ended.
  private var isStale = false
  private var sequence: UInt32 = 0
  /// Messages that made no sense, and were dropped.
  private(set) var malformed: UInt64 = 0
  /// How often the kernel had no room for a message, and everything was read anew.
  private(set) var overruns: UInt64 = 0

  /// `onReport` is called on the loop, from the next turn on; it may let go of the monitor by
  /// ``EventLoop/EventLoop/retire(_:)`` only. `room` is the receive buffer in bytes.
  init(loop: EventLoop, room: CInt = 1 << 20, onReport: @escaping (Report) -> Void) throws(AnnouncementObstacle) {
    self.onReport = onReport
    descriptor = clibnl_monitor_open(room)
    // Asking needs no capability.
    guard descriptor >= 0 else { throw AnnouncementObstacle.system("\(Errno(rawValue: -descriptor))") }
    unsafe buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
    super.init()
    watcher = ReadinessWatcher(loop: loop, descriptor: OwnedDescriptor(descriptor), handler: self)
    watcher?.watch(.read)
    retry = TimerWatcher(loop: loop, handler: self)
    ask(.links)
  }

  deinit { unsafe buffer.deallocate() }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    var count = 0
    while count < Self.messagesPerTurn {
      let length = unsafe clibnl_monitor_receive(descriptor, buffer.baseAddress, buffer.count)
      if length == -Int(EAGAIN) { return }
      guard length >= 0 else {
        // ENOBUFS: an overrun. No other error is known; whatever it was, something may have been missed.
        overruns += 1
        return lost()
      }
      if length == 0 { count += 1 }
      // The monitor lives through the turn, and so does its buffer.
      unsafe KernelMessage.forEach(in: UnsafeRawBufferPointer(rebasing: buffer[..<length])) {
        count += 1
        receive($0, $1)
      }
    }
  }

  override func timerFired() { begin() }

  private func receive(_ message: KernelMessage, _ isInterrupted: Bool) {
    if isInterrupted && phase != .listening { isStale = true }
    switch message {
    case .event(let event): if !isStale { onReport(.event(event)) }
    case .dumpEnd(sequence, let isConsistent, let error):
      if isStale || !isConsistent || error != 0 { begin() } else { proceed() }
    case .refusal(sequence, _): waitToRetry()
    // Those of an earlier request, which nobody waits for.
    case .dumpEnd, .refusal, .other: break
    case .malformed: malformed += 1
    }
  }

  private func proceed() {
    switch phase {
    case .links: ask(.addresses)
    case .addresses:
      phase = .listening
      onReport(.complete)
    case .listening, .refused: break
    }
  }

  private func lost() {
    switch phase {
    case .links, .addresses: isStale = true
    case .listening: begin()
    case .refused: break
    }
  }

  /// Reads everything anew.
  private func begin() {
    isStale = false
    onReport(.restarted)
    ask(.links)
  }

  private func ask(_ next: Phase) {
    phase = next
    sequence &+= 1
    let result = clibnl_monitor_ask(
      descriptor, next == .links ? CLIBNL_LINKS : CLIBNL_ADDRESSES, sequence)
    if result < 0 { waitToRetry() }
  }

  private func waitToRetry() {
    phase = .refused
    isStale = true
    retry?.schedule(after: 0.1)
  }
}
