import CLibEv
import Glibc

/// Owns a descriptor and the stable address that libev keeps for it. Loop only, including its end.
///
/// At its end the watcher is stopped first, then freed, and only then the descriptor closed.
@safe public struct ReadinessWatcher: ~Copyable {
  // Allocated in init, freed in deinit; libev holds it only while the watcher is started.
  private let raw: UnsafeMutablePointer<ev_io>
  private let loop: EventLoop

  /// Takes over `descriptor`. Watches nothing until ``watch(_:)``.
  public init(loop: EventLoop, descriptor: consuming OwnedDescriptor, handler: EventHandler) {
    self.loop = loop
    unsafe raw = .allocate(capacity: 1)
    unsafe raw.initialize(to: ev_io())
    unsafe clibev_io_init(
      raw, onReady, descriptor.take(), 0, Unmanaged.passUnretained(handler).toOpaque())
  }

  /// The descriptor's number, valid while this value lives.
  public var descriptor: CInt { unsafe raw.pointee.fd }

  /// What is watched for; empty when stopped.
  public var events: Readiness {
    unsafe clibev_io_is_active(raw) != 0 ? Readiness(rawValue: raw.pointee.events & 3) : []
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
    unsafe close(raw.pointee.fd)
    unsafe raw.deallocate()
  }
}

// File scope on purpose: a closure literal written inside isolated code inherits
// that isolation and traps when C calls it from the loop's thread.
let onReady: clibev_io_callback = { _, watcher, events in
  guard let watcher = unsafe watcher, let data = unsafe watcher.pointee.data else { return }
  unsafe Unmanaged<EventHandler>.fromOpaque(data)._withUnsafeGuaranteedRef {
    unsafe $0.ready(Readiness(rawValue: events), on: watcher.pointee.fd)
  }
}
