import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// One shard's UDP socket for one address: clients' datagrams come in here, and replies leave from here.
///
/// Lives on its shard's thread; the shard holds it.
@safe final class UDPListener: EventHandler {
  /// What the flow table knows it by.
  let number: Int
  private(set) var served: ServedPort
  // Part of `served`, read with every datagram without counting a reference.
  private var counters: Unmanaged<PortCounters>
  /// How long a flow lives without a datagram, once it is proven.
  private(set) var idleSeconds = 0.0
  /// Grows with each change of ``served``, so that flows are looked at once.
  private(set) var generation = 0
  /// The largest size that UDP_SEGMENT takes on the way to clients.
  var segmentLimit = DatagramBatch.noSegmentLimit
  /// -1 once it is closed.
  private(set) var descriptor: CInt = -1
  private let forwarder: UDPForwarder
  private var watcher: ReadinessWatcher?
  private var endpoints: [SocketAddress: EndpointState] = [:]
  private var kernelDrops = KernelDrops()

  init(number: Int, served: ServedPort, socket: consuming OwnedDescriptor, forwarder: UDPForwarder) {
    self.number = number
    self.served = served
    unsafe counters = .passUnretained(served.counters)
    idleSeconds = served.port.timeouts.udpIdle
    self.forwarder = forwarder
    super.init()
    endpoints = Self.byAddress(served)
    descriptor = socket.rawValue
    watcher = ReadinessWatcher(loop: forwarder.shard.loop, descriptor: socket, handler: self)
    watcher?.watch(.read)
  }

  /// Takes a new snapshot's part. Flows stay; those whose endpoint is gone move at their next datagram. Where the
  /// address has passed to another Service, they end.
  func serve(_ served: ServedPort) {
    if served.counters !== self.served.counters { forwarder.endFlows(of: self) }
    self.served = served
    unsafe counters = .passUnretained(served.counters)
    idleSeconds = served.port.timeouts.udpIdle
    generation += 1
    endpoints = Self.byAddress(served)
  }

  private static func byAddress(_ served: ServedPort) -> [SocketAddress: EndpointState] {
    Dictionary(served.endpoints.map { ($0.endpoint.address, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The state that the endpoint has now, another one after a change of its weight or name; nil when it is gone.
  func current(_ endpoint: EndpointState) -> EndpointState? { endpoints[endpoint.endpoint.address] }

  /// Chooses an endpoint for a client, not one that refused just now.
  func choose(_ source: IPAddress, refused: EndpointState?) -> EndpointState? {
    var tried = Tried()
    if let refused {
      // One address can be listed twice.
      for (index, state) in served.endpoints.enumerated() where state.endpoint.address == refused.endpoint.address {
        tried.insert(index)
      }
    }
    return served.selector.select(source: source, tried: tried, random: &forwarder.shard.random)
      .map { served.endpoints[$0] }
  }

  override func ready(_ events: Readiness, on descriptor: CInt) { _ = forwarder.receiveDatagrams(self, descriptor) }

  /// Counts datagrams that the kernel had no room for, by the count in a slot.
  func countKernelDrops(_ total: UInt32) {
    let more = kernelDrops.new(in: total)
    drop(more, .receiveBufferFull)
  }

  /// The same by the socket's count now: no later datagram may come to tell.
  func countKernelDrops() {
    if descriptor >= 0, let total = KernelDrops.total(on: descriptor) { countKernelDrops(total) }
  }

  /// Counts datagrams that a client's flow delivered to its endpoint.
  func countDatagramsIn(_ count: Int) {
    unsafe counters._withUnsafeGuaranteedRef { $0.countDatagramsIn(count, shard: forwarder.shard.index) }
  }

  /// Counts datagrams of an endpoint that were sent to their client.
  func countDatagramsOut(_ count: Int) {
    unsafe counters._withUnsafeGuaranteedRef { $0.countDatagramsOut(count, shard: forwarder.shard.index) }
  }

  func drop(_ count: Int, _ reason: DatagramDrop) {
    if count > 0 { served.counters.countDrops(count, reason: reason.place, shard: forwarder.shard.index) }
  }

  // More than a receive buffer holds, and an end even while clients go on sending.
  private static let lastBatches = 1024

  /// Forwards what the kernel still holds, ends its flows, then closes.
  func close() {
    if descriptor >= 0 {
      for _ in 0..<Self.lastBatches where !forwarder.receiveDatagrams(self, descriptor) { break }
    }
    countKernelDrops()
    forwarder.endFlows(of: self)
    descriptor = -1
    watcher = nil
    forwarder.shard.loop.retire(self)
  }
}
