import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// One thread's part of the data plane: its listeners, its connections, its memory.
///
/// ## Concurrency model
/// Made, used and released on its loop's thread. What other threads want goes through ``DataPlane``.
final class Shard {
  let index: Int
  let loop: EventLoop
  let clock: LoopClock
  let buffers = BufferPool()
  let pipes = PipePool()
  /// Watches the connections' sockets.
  let edges: EdgePoll
  var random: RandomSource
  private var listeners: [ListenAddress: Listener] = [:]
  private var udpListeners: [ListenAddress: UDPListener] = [:]
  private var lastUDPListener = 0
  private let flowLimit: Int
  /// Made with the first UDP listener: its batches are memory that TCP alone does not need.
  private var forwarder: UDPForwarder?
  private var connections = ConnectionTable()
  /// Held open so that one connection can be taken and reset when there is no descriptor left.
  private var spare: CInt
  private var isDraining = false
  /// Set when a drain begins, for good.
  private var hasStoppedAccepting = false
  private var drained: (@Sendable (Int) -> Void)?
  private var drainTimer: DrainTimer?

  init(index: Int, loop: EventLoop, flowLimit: Int) {
    self.index = index
    self.flowLimit = flowLimit
    self.loop = loop
    clock = loop.loopClock
    random = RandomSource(seed: UInt64.random(in: .min ... .max))
    spare = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    edges = EdgePoll(loop: loop)
  }

  deinit { if spare >= 0 { Glibc.close(spare) } }

  // MARK: - Configuration

  /// What a new snapshot changes on one shard.
  struct Change: Sendable {
    /// Addresses that are new here or served by another port than before, with that port.
    var served: [ListenAddress: ServedPort] = [:]
    /// Sockets for those of them that are new here.
    var opened: [ListenAddress: CInt] = [:]
    /// Addresses that are not served any more.
    var closed: Set<ListenAddress> = []
  }

  /// Opens what is new, closes what is gone, and gives the others their new state. Connections stay.
  func apply(_ change: Change) {
    guard !hasStoppedAccepting else {
      // Under way when the drain began: nothing is to listen any more.
      for socket in change.opened.values { Glibc.close(socket) }
      return
    }
    for address in change.closed {
      listeners.removeValue(forKey: address)?.close()
      udpListeners.removeValue(forKey: address)?.close()
    }
    for (address, served) in change.served {
      switch address.transport {
      case .tcp: apply(served, at: address, opened: change.opened[address])
      case .udp: applyUDP(served, at: address, opened: change.opened[address])
      }
    }
  }

  private func apply(_ served: ServedPort, at address: ListenAddress, opened: CInt?) {
    if let opened {
      listeners[address] = Listener(shard: self, served: served, socket: OwnedDescriptor(opened))
    } else if let listener = listeners[address], listener.served !== served {
      listener.served = served
    }
  }

  private func applyUDP(_ served: ServedPort, at address: ListenAddress, opened: CInt?) {
    if let opened {
      let forwarder = self.forwarder ?? UDPForwarder(shard: self, limit: flowLimit)
      self.forwarder = forwarder
      lastUDPListener += 1
      udpListeners[address] = UDPListener(
        number: lastUDPListener, served: served, socket: OwnedDescriptor(opened), forwarder: forwarder)
    } else if let listener = udpListeners[address], listener.served !== served {
      listener.serve(served)
    }
  }

  /// How many UDP flows are open here.
  var flowCount: Int { forwarder?.flowCount ?? 0 }

  /// Brings the counts of datagrams up to date that the kernel had no room for.
  func countKernelDrops() {
    for listener in udpListeners.values { listener.countKernelDrops() }
  }

  // MARK: - Connections

  /// Serves a client that was just accepted.
  func open(_ client: consuming OwnedDescriptor, served: ServedPort, source: IPAddress) {
    served.counters.countAccepted(shard: index)
    let connection = Connection(shard: self, served: served, client: client)
    connections.insert(connection)
    connection.open(source: source)
  }

  /// Takes a closed connection from the table; it lives to the end of the turn.
  func connectionClosed(_ connection: Connection) {
    // Retired first: the table's is the last reference, and the connection may be inside its own callback.
    loop.retire(connection)
    connections.remove(connection)
    if isDraining, connections.count == 0 { finishDrain(cut: 0) }
  }

  /// How many connections are open here.
  var connectionCount: Int { connections.count }

  /// How many of the connections to `addresses` came to the Services that are named with each.
  func connectionCounts(to addresses: [IPAddress: Set<String>]) -> [IPAddress: Int] {
    var counts: [IPAddress: Int] = [:]
    for connection in connections.all {
      guard let address = connection.externalAddress else { continue }
      if addresses[address]?.contains(connection.served.port.service) == true { counts[address, default: 0] += 1 }
    }
    return counts
  }

  /// Accepts one connection in place of the spare descriptor, and resets it; false when there was none to reset.
  func resetOneWithSpareDescriptor(_ listener: CInt) -> Bool {
    // Another thread may have been quicker to take the number that was free for a moment.
    if spare < 0 { spare = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }
    guard spare >= 0 else { return false }
    Glibc.close(spare)
    var peer = sockaddr_storage()
    let client = unsafe clinux_accept(listener, &peer)
    if client >= 0 {
      _ = clinux_reset_on_close(client)
      Glibc.close(client)
    }
    spare = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    return client >= 0
  }

  // MARK: - Draining

  /// Closes the TCP listeners for good; connections stay.
  func stopAccepting() {
    hasStoppedAccepting = true
    for listener in listeners.values { listener.close() }
    listeners = [:]
  }

  /// Stops accepting, and calls `done` when the last connection has ended or `seconds` have passed, with the
  /// number of those that were cut off by then.
  func drain(for seconds: Double, done: @escaping @Sendable (Int) -> Void) {
    stopAccepting()
    isDraining = true
    drained = done
    if connections.count == 0 { return finishDrain(cut: 0) }
    let timer = DrainTimer(loop: loop) { [unowned self] in self.cutOff() }
    timer.timer?.schedule(after: max(seconds, 0.001))
    drainTimer = timer
  }

  private func cutOff() {
    let cut = connections.count
    isDraining = false
    for connection in connections.all { connection.abort(.shutdown) }
    finishDrain(cut: cut)
  }

  private func finishDrain(cut: Int) {
    isDraining = false
    drainTimer = nil
    drained?(cut)
    drained = nil
  }
}

/// Calls back once the drain's time is over.
private final class DrainTimer: EventHandler {
  private(set) var timer: TimerWatcher?
  private let body: () -> Void

  init(loop: EventLoop, body: @escaping () -> Void) {
    self.body = body
    super.init()
    timer = TimerWatcher(loop: loop, handler: self)
  }

  override func timerFired() { body() }
}
