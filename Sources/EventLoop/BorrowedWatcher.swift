import CLibEv

/// Watches a descriptor that somebody else owns and closes, as a C library does. Loop only, including its end.
///
/// It must be stopped, by `watch([])` or its end, before the descriptor is closed: the number may be given out again at
/// once, and then belongs to another watcher.
@safe public struct BorrowedWatcher: ~Copyable {
  // Allocated in init, freed in deinit; libev holds it only while the watcher is started.
  private let raw: UnsafeMutablePointer<ev_io>
  private let loop: EventLoop

  /// Watches nothing until ``watch(_:)``.
  public init(loop: EventLoop, descriptor: CInt, handler: EventHandler) {
    self.loop = loop
    unsafe raw = .allocate(capacity: 1)
    unsafe raw.initialize(to: ev_io())
    unsafe clibev_io_init(raw, onReady, descriptor, 0, Unmanaged.passUnretained(handler).toOpaque())
  }

  /// Watches for `events` and nothing else; the kernel hears of it once, before the loop waits again.
  public func watch(_ events: Readiness) {
    unsafe ev_io_stop(loop.raw, raw)
    guard !events.isEmpty else { return }
    unsafe clibev_io_set_events(raw, events.rawValue)
    unsafe ev_io_start(loop.raw, raw)
  }

  deinit {
    unsafe ev_io_stop(loop.raw, raw)
    unsafe raw.deallocate()
  }
}
