import CLibEv
import Glibc

/// Takes a process's signals on a loop, as ordinary calls (signalfd(2)).
///
/// Loop only, including its end, except ``block(_:)``.
public final class SignalWatcher: EventHandler {
  private let received: (CInt) -> Void
  private var watcher: ReadinessWatcher?

  /// Keeps `signals` from their default action, on this thread and on all that it starts from now on.
  ///
  /// Call it on the main thread before there is another: one thread that does not block a signal gets it.
  public static func block(_ signals: [CInt]) {
    var set = Self.set(signals)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Makes writes to a connection that is gone fail with EPIPE instead of ending the process.
  public static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Calls `received` on the loop with each of `signals` that comes; they have to be blocked.
  public init(loop: EventLoop, signals: [CInt], received: @escaping (CInt) -> Void) throws(Errno) {
    self.received = received
    super.init()
    var set = Self.set(signals)
    let descriptor = try unsafe OwnedDescriptor(checking: clinux_signal_descriptor(&set))
    watcher = ReadinessWatcher(loop: loop, descriptor: descriptor, handler: self)
    watcher?.watch(.read)
  }

  public override func ready(_ events: Readiness, on descriptor: CInt) {
    // One a turn: `received` may end this object.
    let signal = clinux_next_signal(descriptor)
    if signal > 0 { received(signal) }
  }

  private static func set(_ signals: [CInt]) -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for signal in signals { unsafe sigaddset(&set, signal) }
    return set
  }
}
