import CLibEv

/// Owns one one-shot timer. Loop only, including its end.
@safe public struct TimerWatcher: ~Copyable {
  // Allocated in init, freed in deinit; libev holds it only while the timer runs.
  private let raw: UnsafeMutablePointer<ev_timer>
  private let loop: EventLoop

  public init(loop: EventLoop, handler: EventHandler) {
    self.loop = loop
    unsafe raw = .allocate(capacity: 1)
    unsafe raw.initialize(to: ev_timer())
    unsafe clibev_timer_init(raw, onTimer, Unmanaged.passUnretained(handler).toOpaque())
  }

  /// Fires once, `seconds` from the loop's ``EventLoop/now``; replaces an earlier schedule.
  public func schedule(after seconds: Double) { unsafe clibev_timer_schedule(loop.raw, raw, seconds) }

  public func stop() { unsafe ev_timer_stop(loop.raw, raw) }

  /// Whether it is going to fire.
  public var isScheduled: Bool { unsafe clibev_timer_is_active(raw) != 0 }

  deinit {
    unsafe ev_timer_stop(loop.raw, raw)
    unsafe raw.deallocate()
  }
}

private let onTimer: clibev_timer_callback = { _, watcher, _ in
  guard let data = unsafe watcher?.pointee.data else { return }
  // Retained during the call: a timer often ends the very object that owns it.
  let handler = unsafe Unmanaged<EventHandler>.fromOpaque(data).takeUnretainedValue()
  handler.timerFired()
}
