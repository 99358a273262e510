import CLibEv
import EventLoop
import Glibc

/// Hears of resets on sockets that are not being read: libev watches only what may be read or written.
///
/// A second epoll, inside the loop's: sockets are in it for errors and hang-ups alone, edge-triggered, from their
/// first stall until they are closed. Lives on its shard's thread; the shard holds it.
@safe final class HangUpWatch: EventHandler {
  private var watcher: ReadinessWatcher?
  private let epoll: CInt
  private let lookUp: (Int) -> Connection?

  /// `lookUp` gives the connection in a slot of the shard's table.
  init(loop: EventLoop, lookUp: @escaping (Int) -> Connection?) {
    self.lookUp = lookUp
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    super.init()
    guard epoll >= 0 else { return }
    watcher = ReadinessWatcher(loop: loop, descriptor: OwnedDescriptor(epoll), handler: self)
    watcher?.watch(.read)
  }

  /// Watches a descriptor of the connection in `slot` from now until it is closed.
  func add(_ descriptor: CInt, slot: Int) {
    _ = clinux_epoll_add_hang_up(epoll, descriptor, UInt64(slot) << 32 | UInt64(UInt32(bitPattern: descriptor)))
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 64) { data in
      let count = unsafe clinux_epoll_take(epoll, data.baseAddress, CInt(data.count))
      for index in 0..<Int(max(count, 0)) {
        let (slot, descriptor) = unsafe (Int(data[index] >> 32), CInt(truncatingIfNeeded: data[index]))
        // The slot may be another's by now: the connection asks the socket itself.
        lookUp(slot)?.hungUp(descriptor)
      }
    }
  }
}
