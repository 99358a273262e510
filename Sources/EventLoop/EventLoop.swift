import CLibEv
import Glibc
import Synchronization

/// One libev loop on epoll, driven by exactly one thread.
///
/// Everything except ``submit(_:)`` and ``isCurrent`` is for the loop's own thread; before ``run()`` that is
/// whichever thread will call it.
@safe public final class EventLoop: @unchecked Sendable {
  /// A unit of work handed to the loop from another thread.
  public typealias Task = @Sendable () -> Void

  // Made in init, destroyed in deinit, after every watcher: each of them holds the loop.
  let raw: OpaquePointer
  private let wakeup: UnsafeMutablePointer<ev_async>
  private let endOfTurn: UnsafeMutablePointer<ev_prepare>
  private let clock: UnsafeMutablePointer<ev_timer>
  private let inbox = Mutex<[Task]>([])
  private let owner = Atomic<UInt>(0)
  // Loop only: objects that may still be inside one of their own callbacks.
  private var retired: [AnyObject] = []
  private var hasRetired = false
  // Loop only: who works at the end of a turn, and whether somebody asked for it in this one.
  private var turnHandlers: [EventHandler] = []
  // The same, made anew with each that is added, freed in deinit: a turn counts no reference.
  private var turnHandlersUncounted: UnsafeMutableBufferPointer<Unmanaged<EventHandler>> = unsafe .init(
    start: nil, count: 0)
  private var isTurnEndAskedFor = false

  /// Any thread may make it; whoever calls ``run()`` is its thread.
  public init() {
    Readiness.checkAgainstLibev()
    guard let loop = unsafe ev_loop_new(UInt32(EVBACKEND_EPOLL) | UInt32(EVFLAG_NOENV)) else {
      preconditionFailure("libev could not create an epoll loop")
    }
    unsafe raw = loop
    unsafe wakeup = .allocate(capacity: 1)
    unsafe wakeup.initialize(to: ev_async())
    unsafe endOfTurn = .allocate(capacity: 1)
    unsafe endOfTurn.initialize(to: ev_prepare())
    unsafe clock = .allocate(capacity: 1)
    unsafe clock.initialize(to: ev_timer())
    // The loop outlives its three own watchers: deinit stops them.
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe clibev_async_init(wakeup, onWakeup, me)
    unsafe ev_async_start(raw, wakeup)
    unsafe clibev_prepare_init(endOfTurn, onEndOfTurn, me)
    unsafe ev_prepare_start(raw, endOfTurn)
    unsafe clibev_timer_init(clock, onClock, nil)
    unsafe clibev_timer_schedule(raw, clock, LoopClock.span)
  }

  deinit {
    unsafe ev_async_stop(raw, wakeup)
    unsafe ev_prepare_stop(raw, endOfTurn)
    unsafe ev_timer_stop(raw, clock)
    unsafe wakeup.deallocate()
    unsafe endOfTurn.deallocate()
    unsafe clock.deallocate()
    unsafe turnHandlersUncounted.deallocate()
    unsafe ev_loop_destroy(raw)
  }

  /// Whether the calling thread is the one inside ``run()``. Any thread may ask.
  public var isCurrent: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

  /// Traps in every build when called off the loop. For module borders.
  public func preconditionCurrent(file: StaticString = #fileID, line: UInt = #line) {
    precondition(isCurrent, "called off its event loop", file: file, line: line)
  }

  /// Traps in debug builds when called off the loop. For the hot path.
  @inlinable public func assertCurrent(file: StaticString = #fileID, line: UInt = #line) {
    assert(isCurrent, "called off its event loop", file: file, line: line)
  }

  /// Seconds since the loop was made, as of the start of this turn: monotonic, without a clock call.
  public var now: Double { loopClock.now }

  /// The same for the hot path: a value that is read without counting a reference. Valid while the loop lives.
  public var loopClock: LoopClock { unsafe LoopClock(loop: raw, timer: clock) }

  /// Drives the loop on the calling thread until ``stop()``.
  public func run() {
    owner.store(UInt(pthread_self()), ordering: .relaxed)
    unsafe ev_run(raw, 0)
    retired.removeAll()
    owner.store(0, ordering: .relaxed)
  }

  /// Ends ``run()`` after the current callback.
  public func stop() {
    preconditionCurrent()
    unsafe ev_break(raw, Int32(EVBREAK_ALL))
  }

  /// Runs `task` on the loop, after every task submitted before it. Any thread may call this.
  public func submit(_ task: @escaping Task) {
    inbox.withLock { $0.append(task) }
    unsafe ev_async_send(raw, wakeup)
  }

  /// Holds `object` until no callback of this turn can still be inside it.
  public func retire(_ object: AnyObject) {
    retired.append(object)
    hasRetired = true
  }

  /// Lets `handler` work at the ends of turns that ask for it. It is held as long as the loop lives.
  public func addTurnHandler(_ handler: EventHandler) {
    turnHandlers.append(handler)
    unsafe turnHandlersUncounted.deallocate()
    unsafe turnHandlersUncounted = .allocate(capacity: turnHandlers.count)
    for (index, handler) in turnHandlers.enumerated() {
      unsafe turnHandlersUncounted.initializeElement(at: index, to: .passUnretained(handler))
    }
  }

  /// Asks for ``EventHandler/turnEnded()`` at the end of this turn.
  public func askForTurnEnd() { isTurnEndAskedFor = true }

  fileprivate func endTurn() {
    if isTurnEndAskedFor {
      isTurnEndAskedFor = false
      var index = 0
      // Looked at anew each time: one of them may add another.
      while unsafe index < turnHandlersUncounted.count {
        unsafe turnHandlersUncounted[index]._withUnsafeGuaranteedRef { $0.turnEnded() }
        index += 1
      }
    }
    releaseRetired()
  }

  fileprivate func drainInbox() {
    let tasks = inbox.withLock { tasks in
      defer { tasks = [] }
      return tasks
    }
    for task in tasks { task() }
  }

  fileprivate func releaseRetired() {
    guard hasRetired else { return }
    hasRetired = false
    // Moved out first: a deinit that runs here may retire something else.
    let objects = retired
    retired = []
    retired.reserveCapacity(objects.count)
    _ = consume objects
  }
}

// File scope on purpose: a closure literal written inside isolated code inherits
// that isolation and traps when C calls it from the loop's thread.
private let onWakeup: clibev_async_callback = { _, watcher, _ in
  guard let data = unsafe watcher?.pointee.data else { return }
  unsafe Unmanaged<EventLoop>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.drainInbox() }
}

private let onEndOfTurn: clibev_prepare_callback = { _, watcher, _ in
  guard let data = unsafe watcher?.pointee.data else { return }
  unsafe Unmanaged<EventLoop>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.endTurn() }
}

private let onClock: clibev_timer_callback = { _, _, _ in }
