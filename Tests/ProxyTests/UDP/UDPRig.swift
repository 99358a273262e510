import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc
import TestKit

@testable import Proxy

/// One shard with one UDP Service port, on a loop that a test can hold still.
final class UDPRig: Sendable {
  let block: LoopbackBlock
  let listen: SocketAddress
  private let thread: LoopThread
  private let shard: LoopBound<Shard>
  private let state: Monitor<(builder: SnapshotBuilder, served: ServedPort)>
  private let timeouts: Timeouts

  /// `receiveBuffer`: the listening socket's, where the test wants to see it overflow.
  init(
    to endpoints: [Endpoint], timeouts: Timeouts = Timeouts(), flowLimit: Int = 1000, listen: SocketAddress? = nil,
    receiveBuffer: CInt? = nil, block: LoopbackBlock? = nil
  ) throws {
    self.block = try block ?? LoopbackBlock()
    let listen = listen ?? self.block.address(50, port: 5300)
    self.listen = listen
    self.timeouts = timeouts
    thread = try LoopThread(name: "rig")
    shard = LoopBound(thread.loop) { Shard(index: 0, loop: $0, flowLimit: flowLimit) }
    var builder = SnapshotBuilder(
      shardCount: 1, reasonCount: DataPlane.reasonCount, dropCount: DataPlane.dropCount)
    let served = builder.build([Self.port(listen, endpoints, timeouts)]).ports[0]
    state = Monitor((builder, served))
    let address = ListenAddress(.udp, listen)
    let socket = try ListenSockets.open(address, count: 1)[0]
    if let receiveBuffer {
      _ = clinux_set_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer)
      _ = clinux_set_option(socket, SOL_SOCKET, SO_RCVBUF, receiveBuffer)
    }
    on { $0.apply(Shard.Change(served: [address: served], opened: [address: socket])) }
  }

  convenience init(to addresses: [SocketAddress], block: LoopbackBlock) throws {
    try self.init(to: addresses.map { Endpoint($0) }, block: block)
  }

  private static func port(
    _ listen: SocketAddress, _ endpoints: [Endpoint], _ timeouts: Timeouts, service: String = "default/test"
  ) -> ServicePort {
    ServicePort(service: service, transport: .udp, listen: [listen], endpoints: endpoints, timeouts: timeouts)
  }

  /// Runs `body` on the shard's thread and waits for it.
  @discardableResult func on<R: Sendable>(_ body: @escaping @Sendable (Shard) -> R) -> R {
    let result = Monitor<R?>(nil)
    shard.submit { shard in
      let value = body(shard)
      result.update { $0 = value }
    }
    guard let value = result.wait(until: .after(.seconds(30)), { $0 }) else { fatalError("the shard does not answer") }
    return value
  }

  /// Runs `body` while the shard stands still: what is sent meanwhile it finds all at once.
  func held(_ body: () throws -> Void) rethrows {
    let isOver = Monitor(false)
    thread.loop.submit { _ = isOver.wait(until: .after(.seconds(30))) { $0 ? true : nil } }
    defer { isOver.update { $0 = true } }
    try body()
  }

  /// Serves other endpoints, under another Service's name where one is given; nil: nothing at all.
  func serve(_ endpoints: [Endpoint]?, timeouts: Timeouts? = nil, service: String = "default/test") {
    let address = ListenAddress(.udp, listen)
    let served = state.update { state in
      let ports = endpoints.map { [Self.port(listen, $0, timeouts ?? self.timeouts, service: service)] }
      let port = state.builder.build(ports ?? []).ports.first
      if let port { state.served = port }
      return port
    }
    on { $0.apply(served.map { Shard.Change(served: [address: $0]) } ?? Shard.Change(closed: [address])) }
  }

  /// The running port, once the shard has done what it was at: it counts after it has sent.
  var served: ServedPort {
    on { _ in }
    return state.update { $0.served }
  }
  var flowCount: Int { on(\.flowCount) }

  func ends(_ reason: FlowEnd) -> UInt64 { served.counters.closed(reason: reason.place) }
  func drops(_ reason: DatagramDrop) -> UInt64 { served.counters.dropped(reason: reason.place) }

  /// Clients' datagrams that were delivered or dropped, after all that the kernel holds has been taken.
  var accounted: UInt64 {
    on { $0.countKernelDrops() }
    return served.counters.datagramsIn + DatagramDrop.allCases.filter { !$0.isReply }.reduce(0) { $0 + drops($1) }
  }

  /// A client's socket on the block's address `host`.
  func client(_ host: Int = 100) throws -> UDPSocket { try UDPSocket(on: block.address(host, port: 0)) }
}

/// The sockets of this process that are connected to `peer`, by /proc/net/udp (proc(5)).
func socketsConnected(to peer: SocketAddress) throws -> Int {
  let bits = UInt32(truncatingIfNeeded: peer.address.bits).byteSwapped
  func hex(_ number: UInt32, _ digits: Int) -> String {
    let text = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: digits - text.count) + text
  }
  let wanted = "\(hex(bits, 8)):\(hex(UInt32(peer.port), 4))"
  return try readFile("/proc/self/net/udp").split(separator: "\n").count { line in
    let columns = line.split(separator: " ")
    return columns.count > 2 && columns[2] == wanted
  }
}
