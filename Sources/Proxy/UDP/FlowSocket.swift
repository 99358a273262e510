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
  private(set) var endpoint: EndpointState
  // Valid while `endpoint` is held.
  private(set) var traffic: UnsafeMutablePointer<TrafficCounters>
  /// The largest size that UDP_SEGMENT takes on the way to this endpoint.
  var segmentLimit = DatagramBatch.noSegmentLimit
  /// Replies since the client's last datagram.
  var repliesInARow = 0
  /// The client's datagrams since the last reply.
  var datagramsInARow = 0
  /// Whether the endpoint sends streams, which are read by batches; single replies are read by the cheapest call.
  private(set) var isStreaming = false
  /// -1 once it is closed.
  private(set) var descriptor: CInt = -1
  private let forwarder: UDPForwarder
  private var watcher: ReadinessWatcher?
  private var kernelDrops = KernelDrops()

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
    descriptor = socket.rawValue
    watcher = ReadinessWatcher(loop: forwarder.shard.loop, descriptor: socket, handler: self)
    watcher?.watch(.read)
  }

  /// Reads by batches from now on.
  func stream() {
    isStreaming = true
    cdatagram_coalesce(descriptor)
  }

  /// Replies have come, or word that a datagram was refused.
  override func ready(_ events: Readiness, on descriptor: CInt) { forwarder.receiveReplies(self, descriptor) }

  /// Takes the new state of the same endpoint, as after a change of its weight.
  func adopt(_ endpoint: EndpointState) {
    self.endpoint = endpoint
    unsafe traffic = endpoint.counters(ofShard: forwarder.shard.index)
    unsafe traffic.pointee.connections.add()
  }

  /// Counts datagrams that the kernel had no room for, by the count in a slot.
  func countKernelDrops(_ total: UInt32) {
    let more = kernelDrops.new(in: total)
    listener.drop(more, .replyReceiveBufferFull)
  }

  func close() {
    if descriptor >= 0, let total = KernelDrops.total(on: descriptor) { countKernelDrops(total) }
    descriptor = -1
    watcher = nil
    forwarder.shard.loop.retire(self)
  }
}
