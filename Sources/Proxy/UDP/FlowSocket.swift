import Balancing
import CLibEv
import EventLoop
import Glibc

/// A flow's connected socket towards its endpoint: the kernel keeps strangers' datagrams away and tells of refusals.
///
/// Lives on its shard's thread; the forwarder holds it.
@safe final class FlowSocket: EventHandler {
  let id: FlowTable.FlowID
  let listener: UDPListener
  let client: DatagramBatch.Peer
  let endpoint: EndpointState
  // Valid while `endpoint` is held.
  let traffic: UnsafeMutablePointer<TrafficCounters>
  /// Whether UDP_SEGMENT works on the way to this endpoint.
  var allowSegments: CInt = 1
  /// Replies since the client's last datagram.
  var repliesInARow = 0
  /// Whether the endpoint sends streams, which are read by batches; single replies are read by the cheapest call.
  private(set) var isStreaming = false
  private let forwarder: UDPForwarder
  private var watcher: ReadinessWatcher?
  private var kernelDrops: UInt32 = 0

  // Enough for a burst of replies; the system gives what it allows.
  private static let receiveBuffer = 1 << 20

  /// Connects to `endpoint`. Throws what the system says.
  init(
    id: FlowTable.FlowID, listener: UDPListener, client: DatagramBatch.Peer, endpoint: EndpointState,
    forwarder: UDPForwarder
  ) throws(Errno) {
    self.id = id
    self.listener = listener
    self.client = client
    self.endpoint = endpoint
    self.forwarder = forwarder
    unsafe traffic = endpoint.counters(ofShard: forwarder.shard.index)
    super.init()
    let address = endpoint.endpoint.address
    let socket = try OwnedDescriptor(
      checking: clinux_socket(address.address.family == .v4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue)))
    cdatagram_prepare(socket.rawValue, CInt(Self.receiveBuffer))
    guard unsafe address.withSockaddr({ unsafe connect(socket.rawValue, $0, $1) }) == 0 else { throw .current }
    watcher = ReadinessWatcher(loop: forwarder.shard.loop, descriptor: socket, handler: self)
    watcher?.watch(.read)
  }

  /// Reads by batches from now on.
  func stream() {
    isStreaming = true
    cdatagram_coalesce(descriptor)
  }

  var descriptor: CInt { watcher?.descriptor ?? -1 }

  /// Replies have come, or word that a datagram was refused.
  override func ready(_ events: Readiness, on descriptor: CInt) { forwarder.receiveReplies(self, descriptor) }

  /// How many more datagrams the kernel had no room for, by its count in a slot.
  func newKernelDrops(_ total: UInt32) -> Int {
    defer { kernelDrops = total }
    return Int(total &- kernelDrops)
  }

  func close() {
    watcher = nil
    forwarder.shard.loop.retire(self)
  }
}
