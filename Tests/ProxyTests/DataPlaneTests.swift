import Addresses
import Balancing
import TestKit
import Testing

@testable import Proxy

@Suite(.serialized, .timeLimit(.minutes(1))) struct DataPlaneTests {
  @Test func `an edit of the endpoints leaves live connections where they are`() async throws {
    let block = try LoopbackBlock()
    let old = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let new = try TestServer(on: block.address(2, port: 18080), Handlers.name("new"))
    var plane = try await Plane(to: [old.address], shards: 2, block: block)
    let client = try TCPStream(to: plane.listen)
    try client.send("a")
    #expect(try client.receive(exactly: 1) == Array("a".utf8))
    _ = await plane.serve([new.address])
    try client.send("b")
    #expect(try client.receive(exactly: 1) == Array("b".utf8))
    #expect(plane.served.formerEndpoints.map(\.endpoint.address) == [old.address])
    #expect(plane.served.traffic.bytesIn == 2)
    client.close()
  }

  @Test func `connections are counted by their address and Service, also after that has lost it`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let plane = try DataPlane(shardCount: 2)
    var builder = SnapshotBuilder(shardCount: 2, reasonCount: DataPlane.reasonCount)
    let both = [block.address(50, port: 8080), block.address(51, port: 8080)]
    func port(_ service: String, _ listen: [SocketAddress]) -> ServicePort {
      ServicePort(service: service, listen: listen, endpoints: [Endpoint(server.address)])
    }
    let other = block.address(52, port: 8080)
    _ = await plane.apply(builder.build([port("default/a", both), port("default/b", [other])]))
    let clients = try [both[0], both[1], both[1], other].map { try TCPStream(to: $0) }
    for client in clients {
      try client.send("a")
      _ = try client.receive(exactly: 1)
    }
    let asked = [
      both[0].address: Set(["default/a"]), both[1].address: ["default/a", "default/b"], other.address: ["default/a"],
    ]
    #expect(await plane.connectionCounts(to: asked) == [both[0].address: 1, both[1].address: 2])
    _ = await plane.apply(builder.build([port("default/b", [other])]))
    #expect(await plane.connectionCounts(to: asked) == [both[0].address: 1, both[1].address: 2])
    for client in clients { client.close() }
    let deadline = Deadline.after(.seconds(5))
    while await plane.connectionCounts(to: asked) != [:], !deadline.hasPassed {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(await plane.connectionCounts(to: asked) == [:])
  }

  @Test func `an address that is no longer wanted refuses, and can be taken again`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    var plane = try await Plane(to: [server.address], shards: 2, block: block)
    _ = await plane.serve(nil)
    #expect(throws: ConnectFailure.self) { _ = try TCPStream(to: plane.listen) }
    let report = await plane.serve([server.address])
    #expect(report.listening == [ListenAddress(.tcp, plane.listen)])
    let client = try TCPStream(to: plane.listen)
    try client.send("a")
    #expect(try client.receive(exactly: 1) == Array("a".utf8))
    client.close()
  }

  @Test func `an address that another socket holds is an error, and the others are served`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let taken = try TCPListener(on: block.address(51, port: 8080))
    let plane = try DataPlane(shardCount: 2)
    var builder = SnapshotBuilder(shardCount: 2, reasonCount: DataPlane.reasonCount)
    let free = block.address(50, port: 8080)
    let ports = [taken.address, free].map {
      ServicePort(service: "default/\($0)", listen: [$0], endpoints: [Endpoint(server.address)])
    }
    let report = await plane.apply(builder.build(ports))
    #expect(report.failures == [ListenAddress(.tcp, taken.address): .addressInUse(ListenAddress(.tcp, taken.address))])
    #expect(report.listening == [ListenAddress(.tcp, free)])
    taken.close()
    let again = await plane.apply(builder.build(ports))
    #expect(again.failures.isEmpty)
    #expect(again.listening == [ListenAddress(.tcp, free), ListenAddress(.tcp, ports[0].listen[0])])
  }

  @Test func `two Services that want one address and port: the first has it, the second is told`() async throws {
    let block = try LoopbackBlock()
    let listen = block.address(50, port: 8080)
    let plane = try DataPlane(shardCount: 1)
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: DataPlane.reasonCount)
    let report = await plane.apply(
      builder.build(["a", "b"].map { ServicePort(service: $0, listen: [listen], endpoints: []) }))
    #expect(report.clashes == [ListenAddress(.tcp, listen): ["b"]])
  }

  @Test func `draining refuses new clients, waits for old ones, and cuts off those that stay`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let plane = try await Plane(to: [server.address], shards: 2, block: block)
    let leaves = try TCPStream(to: plane.listen)
    let stays = try TCPStream(to: plane.listen)
    for client in [leaves, stays] {
      try client.send("a")
      _ = try client.receive(exactly: 1)
    }
    let draining = Task { await plane.plane.drain(for: 4) }
    let deadline = Deadline.after(.seconds(3))
    var isRefused = false
    while !isRefused, !deadline.hasPassed {
      do { try TCPStream(to: plane.listen).close() } catch is ConnectFailure { isRefused = true }
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(isRefused)
    try leaves.send("b")
    #expect(try leaves.receive(exactly: 1) == Array("b".utf8))
    leaves.close()
    #expect(await draining.value == 1)
    #expect(try stays.receiveUntilEnd().end == .reset)
    #expect(plane.closes(.shutdown) == 1)
    #expect(plane.closes(.finished) >= 1)
  }

  @Test func `nothing listens after a drain, whatever was being applied when it began`() async throws {
    let block = try LoopbackBlock()
    for round in 0..<20 {
      let plane = try DataPlane(shardCount: 2)
      var builder = SnapshotBuilder(shardCount: 2, reasonCount: DataPlane.reasonCount)
      let listen = (10..<40).map { block.address($0, port: 8080) }
      let snapshots = [listen.prefix(15), listen.suffix(15)].map { addresses in
        builder.build(addresses.map { ServicePort(service: "default/\($0)", listen: [$0], endpoints: []) })
      }
      _ = await plane.apply(snapshots[0])
      let applying = Task { await plane.apply(snapshots[1]) }
      for _ in 0..<round { await Task.yield() }
      _ = await plane.drain(for: 0.1)
      _ = await applying.value
      for address in listen {
        #expect(throws: ConnectFailure.self, "\(address), round \(round)") { _ = try TCPStream(to: address) }
      }
    }
  }

  @Test func `clients that the kernel has accepted are served though the listener closes`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    for _ in 0..<20 {
      var plane = try await Plane(to: [server.address], shards: 2, block: block)
      let clients = try (0..<20).map { _ in try TCPStream(to: plane.listen) }
      _ = await plane.serve(nil)
      for client in clients {
        try client.send("a")
        #expect(try client.receive(exactly: 1) == Array("a".utf8))
        client.close()
      }
    }
  }
}
