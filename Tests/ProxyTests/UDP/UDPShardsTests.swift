import Addresses
import Balancing
import TestKit
import Testing

@testable import Proxy

/// UDP beside TCP and over several shards.
@Suite(.serialized, .timeLimit(.minutes(1))) struct UDPShardsTests {
  private static func port(
    _ transport: TransportProtocol, _ listen: SocketAddress, _ endpoints: [SocketAddress]
  ) -> ServicePort {
    ServicePort(
      service: "default/dns", transport: transport, listen: [listen], endpoints: endpoints.map { Endpoint($0) })
  }

  private static func builder(_ shards: Int) -> SnapshotBuilder {
    SnapshotBuilder(shardCount: shards, reasonCount: DataPlane.reasonCount, dropCount: DataPlane.dropCount)
  }

  @Test func `TCP and UDP share an address and a port number, and one may go without the other`() async throws {
    let block = try LoopbackBlock()
    let stream = try TestServer(on: block.address(1, port: 53), Handlers.echo)
    let datagram = try UDPServer.echo(on: block.address(1, port: 53))
    let plane = try DataPlane(shardCount: 2)
    var builder = Self.builder(2)
    let listen = block.address(50, port: 53)
    let both = [Self.port(.tcp, listen, [stream.address]), Self.port(.udp, listen, [datagram.address])]
    let report = await plane.apply(builder.build(both))
    #expect(report.listening == [ListenAddress(.tcp, listen), ListenAddress(.udp, listen)])
    let udp = try UDPSocket(on: block.address(100, port: 0))
    let tcp = try TCPStream(to: listen)
    for _ in 0..<2 {
      #expect(try udp.ask("datagram", of: listen) == "datagram")
      try tcp.send("stream")
      #expect(try tcp.receive(exactly: 6) == Array("stream".utf8))
    }
    _ = await plane.apply(builder.build([both[1]]))
    #expect(throws: ConnectFailure.self) { _ = try TCPStream(to: listen) }
    #expect(try udp.ask("still there", of: listen) == "still there")
    #expect(Set(datagram.received.map(\.source)).count == 1)
    #expect(await plane.flowCount() == 1)
    tcp.close()
  }

  @Test func `a client has one flow, whatever the number of shards, and edits of other Services leave it`() async throws
  {
    let block = try LoopbackBlock()
    let server = try UDPServer.echo(on: block.address(1, port: 53))
    let plane = try DataPlane(shardCount: 4)
    var builder = Self.builder(4)
    let listen = block.address(50, port: 53)
    let ports = [Self.port(.udp, listen, [server.address])]
    let snapshot = builder.build(ports)
    _ = await plane.apply(snapshot)
    let clients = try (0..<64).map { _ in try UDPSocket(on: block.address(100, port: 0)) }
    for round in 0..<4 {
      for client in clients { #expect(try client.ask("\(round)", of: listen) == "\(round)") }
      let other = Self.port(.udp, block.address(51 + round, port: 53), [server.address])
      _ = await plane.apply(builder.build(ports + [other]))
    }
    #expect(await plane.flowCount() == 64)
    #expect(Set(server.received.map(\.source)).count == 64)
    #expect(snapshot.ports[0].counters.accepted == 64 && snapshot.ports[0].counters.datagramsIn == 256)
  }

  @Test func `a UDP address that another socket holds is an error`() async throws {
    let block = try LoopbackBlock()
    let taken = try UDPSocket(on: block.address(50, port: 53))
    let plane = try DataPlane(shardCount: 2)
    var builder = Self.builder(2)
    let report = await plane.apply(builder.build([Self.port(.udp, taken.address, [])]))
    let address = ListenAddress(.udp, taken.address)
    #expect(report.failures == [address: .addressInUse(address)])
    #expect("\(ListenError.addressInUse(address))" == "\(taken.address)/UDP is in use by another process")
  }
}
