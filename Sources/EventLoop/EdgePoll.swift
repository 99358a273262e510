import CLibEv
import Glibc

/// The sockets that carry the traffic, watched edge-triggered: one entry each from its first event to its close, and no
/// call in between. Loop only.
///
/// An epoll of its own inside the loop's, because libev's is level-triggered: that one looks at each socket once more
/// after its event, cannot tell of a FIN behind the bytes (EPOLLRDHUP) nor of a reset where nobody reads, and takes out
/// what stays readable after its end with a call.
///
/// An event is told once. A handler reads until it knows that the socket is empty: a read that gave less than was asked
/// for has emptied it, unless the event says that there is something ``EdgeEvents/behind`` the bytes. Or it asks
/// ``repeat(_:for:handler:tag:)``.
@safe public final class EdgePoll: EventHandler {
  private let epoll: CInt
  private var watcher: ReadinessWatcher?

  /// On the thread of `loop`, which it is a part of from now on. Traps where the system has no epoll to give.
  public init(loop: EventLoop) {
    EdgeEvents.checkAgainstKernel()
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    precondition(epoll >= 0, "could not create an epoll: errno \(errno)")
    super.init()
    watcher = ReadinessWatcher(loop: loop, descriptor: OwnedDescriptor(epoll), handler: self)
    watcher?.watch(.read)
  }

  /// Tells `handler` of `events` on `descriptor` from now until it is closed, with `tag`, 0 to 15; what is there
  /// already is told at once. Returns 0, or errno.
  ///
  /// The handler is not retained: it closes the descriptor first, and then lives to the end of the turn
  /// (``EventLoop/retire(_:)``).
  public func add(_ descriptor: CInt, for events: EdgeEvents, handler: EventHandler, tag: Int) -> CInt {
    unsafe clinux_epoll_add(epoll, descriptor, events.rawValue, Self.data(handler, tag))
  }

  /// Tells of `events` from now on, and once more of those that are there.
  public func `repeat`(_ descriptor: CInt, for events: EdgeEvents, handler: EventHandler, tag: Int) {
    _ = unsafe clinux_epoll_change(epoll, descriptor, events.rawValue, Self.data(handler, tag))
  }

  // Objects are aligned to 16 bytes: the lowest bits of their address are free for the tag.
  @unsafe private static func data(_ handler: EventHandler, _ tag: Int) -> UInt64 {
    unsafe UInt64(UInt(bitPattern: Unmanaged.passUnretained(handler).toOpaque())) | UInt64(tag)
  }

  // Timers, listeners and others' sockets have their part of each turn; but a turn accepts more connections than one batch
  // serves, and those that are there must not wait longer and longer behind new ones.
  private static let batchesInOneTurn = 16

  override public func ready(_ events: Readiness, on descriptor: CInt) {
    for _ in 0..<Self.batchesInOneTurn {
      guard clinux_epoll_dispatch(epoll, onEdge) == clinux_epoll_batch else { return }
    }
  }
}

// File scope on purpose: a closure literal written inside isolated code inherits
// that isolation and traps when C calls it from the loop's thread.
private let onEdge: @convention(c) (UInt64, UInt32) -> Void = { data, events in
  // Alive: whoever closed its descriptor in this turn was retired, not freed.
  guard let pointer = unsafe UnsafeRawPointer(bitPattern: UInt(data & ~15)) else { return }
  unsafe Unmanaged<EventHandler>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
    $0.edge(EdgeEvents(rawValue: events), tag: Int(data & 15))
  }
}
