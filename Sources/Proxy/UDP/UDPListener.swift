import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// One shard's UDP socket for one address: clients' datagrams come in here, and replies leave from here.
///
/// Lives on its shard's thread; the shard holds it.
final class UDPListener: EventHandler {
  /// What the flow table knows it by.
  let number: Int
  private(set) var served: ServedPort
  /// Grows with each change of ``served``, so that flows are looked at once.
  private(set) var generation = 0
  /// Whether UDP_SEGMENT works on the way to clients.
  var allowSegments: CInt = 1
  private let forwarder: UDPForwarder
  private var watcher: ReadinessWatcher?
  private var endpoints: Set<ObjectIdentifier> = []
  private var kernelDrops: UInt32 = 0

  init(number: Int, served: ServedPort, socket: consuming OwnedDescriptor, forwarder: UDPForwarder) {
    self.number = number
    self.served = served
    self.forwarder = forwarder
    super.init()
    endpoints = Set(served.endpoints.map { ObjectIdentifier($0) })
    watcher = ReadinessWatcher(loop: forwarder.shard.loop, descriptor: socket, handler: self)
    watcher?.watch(.read)
  }

  var descriptor: CInt { watcher?.descriptor ?? -1 }

  /// Takes a new snapshot's part. Flows stay; those whose endpoint is gone move at their next datagram.
  func serve(_ served: ServedPort) {
    self.served = served
    generation += 1
    endpoints = Set(served.endpoints.map { ObjectIdentifier($0) })
  }

  func isServed(_ endpoint: EndpointState) -> Bool { endpoints.contains(ObjectIdentifier(endpoint)) }

  /// Chooses an endpoint for a client, not one that refused just now.
  func choose(_ source: IPAddress, refused: EndpointState?) -> EndpointState? {
    var tried = Tried()
    if let refused, let index = served.endpoints.firstIndex(where: { $0 === refused }) { tried.insert(index) }
    return served.selector.select(source: source, tried: tried, random: &forwarder.shard.random)
      .map { served.endpoints[$0] }
  }

  override func ready(_ events: Readiness, on descriptor: CInt) { forwarder.receiveDatagrams(self, descriptor) }

  /// How many more datagrams the kernel had no room for, by its count in a slot.
  func newKernelDrops(_ total: UInt32) -> Int {
    defer { kernelDrops = total }
    return Int(total &- kernelDrops)
  }

  func drop(_ count: Int, _ reason: DatagramDrop) {
    if count > 0 { served.counters.countDrops(count, reason: reason.place, shard: forwarder.shard.index) }
  }

  /// Forwards what the kernel still holds, ends its flows, then closes.
  func close() {
    if let descriptor = watcher?.descriptor { forwarder.receiveDatagrams(self, descriptor) }
    forwarder.endFlows(of: self)
    watcher = nil
    forwarder.shard.loop.retire(self)
  }
}
