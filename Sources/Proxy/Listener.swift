import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// One shard's listening socket for one address: accepts in batches and opens a ``Connection`` for each.
///
/// Lives on its shard's thread; the shard holds it.
final class Listener: EventHandler {
  let shard: Shard
  /// What it serves; changed by a new snapshot, without touching the socket.
  var served: ServedPort
  private var socket: ReadinessWatcher?
  private var resume: TimerWatcher?
  /// How many connections the next batch takes: grows while there are more, so that few calls find nothing.
  private var batch = 1

  private static let largestBatch = 64
  private static let pauseWithoutDescriptors = 0.1

  init(shard: Shard, served: ServedPort, socket: consuming OwnedDescriptor) {
    self.shard = shard
    self.served = served
    super.init()
    self.socket = ReadinessWatcher(loop: shard.loop, descriptor: socket, handler: self)
    resume = TimerWatcher(loop: shard.loop, handler: self)
    self.socket?.watch(.read)
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    for accepted in 0..<batch {
      guard acceptOne(descriptor) else {
        batch = max(accepted, 1)
        return
      }
    }
    batch = min(batch * 2, Self.largestBatch)
  }

  /// Accepting starts again after a pause for want of descriptors.
  override func timerFired() { socket?.watch(.read) }

  /// Takes one connection from the queue; false when there is none, or none can be taken.
  private func acceptOne(_ descriptor: CInt) -> Bool {
    var peer = sockaddr_storage()
    let client = unsafe clinux_accept(descriptor, &peer)
    guard client >= 0 else {
      switch errno {
      // One that was reset while it waited, or an error of its own (accept(2)): the next may be fine.
      case ECONNABORTED, EPROTO, EINTR, ENETDOWN, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH: return true
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: outOfDescriptors(descriptor)
      default: break
      }
      return false
    }
    let source = SocketAddress(peer)?.address ?? IPAddress(v4: 0)
    shard.open(OwnedDescriptor(client), served: served, source: source)
    return true
  }

  /// Without a pause the queue would wake the loop without end. One client is told by a reset.
  private func outOfDescriptors(_ descriptor: CInt) {
    // The kernel asks for a descriptor before it looks into the queue, so there may be nobody.
    if shard.resetOneWithSpareDescriptor(descriptor) {
      served.counters.countAccepted(shard: shard.index)
      served.counters.countClose(reason: CloseReason.outOfResources.index, shard: shard.index)
    }
    socket?.watch([])
    resume?.schedule(after: Self.pauseWithoutDescriptors)
  }

  /// Takes what the kernel has already accepted, then closes the socket: nobody who got through is reset.
  func close() {
    guard let descriptor = socket?.descriptor else { return }
    while acceptOne(descriptor) {}
    resume = nil
    socket = nil
    shard.loop.retire(self)
  }
}
