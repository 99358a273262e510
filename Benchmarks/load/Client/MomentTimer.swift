import CLibEv
import EventLoop

/// Wakes a handler at a moment of the monotonic clock, in nanoseconds (timerfd_create(2)). Loop only.
///
/// libev's own timers wait by epoll_wait(2), whose step is a millisecond; its use of timerfd is for jumps of the wall
/// clock alone.
struct MomentTimer: ~Copyable {
  private let watcher: ReadinessWatcher

  /// `handler` hears by ``EventHandler/ready(_:on:)``, until the timer is armed again.
  init(loop: EventLoop, handler: EventHandler) throws(Errno) {
    watcher = ReadinessWatcher(
      loop: loop, descriptor: try OwnedDescriptor(checking: clinux_timer_descriptor()), handler: handler)
    watcher.watch(.read)
  }

  /// Replaces the moment before; 0 is never.
  func arm(at moment: UInt64) { _ = clinux_timer_arm(watcher.descriptor, moment) }
}
