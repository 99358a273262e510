import Addresses
import Balancing
import Glibc
import TestKit
import Testing

@testable import Proxy

/// What a datagram is when it arrives, and who may send one.
@Suite(.serialized, .timeLimit(.minutes(1))) struct DatagramTests {
  @Test(arguments: [0, 1, 64, 1200, 1473, 9000, 65_507]) func `a datagram of any size passes unchanged, both ways`(
    size: Int
  ) throws {
    let block = try LoopbackBlock()
    let server = try UDPServer.echo(on: block.address(1, port: 53))
    let rig = try UDPRig(to: [server.address], block: block)
    let client = try rig.client()
    var stream = ByteStream(seed: UInt64(size))
    for _ in 0..<3 {
      let bytes = stream.next(size)
      try client.send(bytes, to: rig.listen)
      let answer = try client.receive()
      #expect(answer.bytes == bytes)
      #expect(answer.source == rig.listen)
    }
    #expect(server.received.map(\.bytes.count) == [size, size, size])
    #expect(rig.served.counters.datagramsIn == 3 && rig.served.counters.datagramsOut == 3)
    #expect(rig.served.traffic.bytesIn == UInt64(3 * size) && rig.served.traffic.bytesOut == UInt64(3 * size))
  }

  @Test func `IPv6 to IPv6, IPv6 to IPv4 and IPv4 to IPv6`() throws {
    let block = try LoopbackBlock()
    let six = try #require(SocketAddress("[::1]:0"))
    let servers = try [UDPServer.echo(on: six), UDPServer.echo(on: block.address(1, port: 53))]
    let free = try UDPSocket(on: six)
    free.close()
    for server in servers {
      for listen in [free.address, block.address(50, port: 5300)] {
        let rig = try UDPRig(to: [Endpoint(server.address)], listen: listen, block: block)
        let client = listen.address.family == .v4 ? try rig.client() : try UDPSocket(on: six)
        for text in ["a", "", "ccc"] {
          try client.send(text, to: rig.listen)
          let answer = try client.receive()
          #expect(answer.text == text && answer.source == listen)
        }
        rig.serve(nil)
      }
    }
  }

  @Test func `a burst of mixed sizes arrives whole, unsplit and in order`() throws {
    let block = try LoopbackBlock()
    let server = try UDPServer.echo(on: block.address(1, port: 53))
    let rig = try UDPRig(to: [server.address], block: block)
    let client = try rig.client()
    var random = SeededRandom(seed: testSeed())
    var stream = ByteStream(seed: 1)
    let burst = (0..<400).map { _ in
      stream.next([0, 1, 100, 100, 100, 1200, 1200, 5000].randomElement(using: &random) ?? 0)
    }
    try rig.held { for bytes in burst { try client.send(bytes, to: rig.listen) } }
    for bytes in burst { #expect(try server.next().bytes == bytes) }
    for bytes in burst { #expect(try client.receive().bytes == bytes) }
    #expect(rig.accounted == 400 && rig.served.counters.datagramsOut == 400)
  }

  @Test func `a wildcard listener answers from the address that was asked, a flow for each`() throws {
    let block = try LoopbackBlock()
    let server = try UDPServer.echo(on: block.address(1, port: 53))
    let free = try UDPSocket(on: block.address(2, port: 0)).address.port
    let rig = try UDPRig(
      to: [Endpoint(server.address)], listen: SocketAddress(IPAddress(v4: 0), port: free), block: block)
    let client = try rig.client()
    for host in [60, 61, 60, 62] {
      let asked = block.address(host, port: Int(free))
      try client.send("from \(host)", to: asked)
      let answer = try client.receive()
      #expect(answer.text == "from \(host)" && answer.source == asked)
    }
    #expect(rig.flowCount == 3)
  }

  @Test func `a wildcard listener of IPv6 answers from the address that was asked`() throws {
    let server = try UDPServer.echo(on: #require(SocketAddress("[::1]:0")))
    let free = try UDPSocket(on: #require(SocketAddress("[::1]:0"))).address.port
    let rig = try UDPRig(to: [Endpoint(server.address)], listen: SocketAddress(IPAddress(v6: 0), port: free))
    let client = try UDPSocket(on: #require(SocketAddress("[::1]:0")))
    let asked = SocketAddress(IPAddress(v6: 1), port: free)
    try client.send("six", to: asked)
    #expect(try client.receive().source == asked)
    #expect(rig.flowCount == 1)
  }

  @Test func `a stranger's datagram to a flow's socket goes nowhere`() throws {
    let block = try LoopbackBlock()
    let server = try UDPServer(on: block.address(1, port: 53)) { _ in [] }
    let rig = try UDPRig(to: [server.address], block: block)
    let client = try rig.client()
    try client.send("hello", to: rig.listen)
    let flow = try server.next().source
    // From another address, and from the server's address but another port.
    for stranger in [try UDPSocket(on: block.address(9, port: 0)), try UDPSocket(on: block.address(1, port: 0))] {
      try stranger.send("forged", to: flow)
    }
    try server.send(Array("true".utf8), to: flow)
    #expect(try client.receive().text == "true")
    #expect(rig.served.counters.datagramsOut == 1)
  }

  @Test func `what the kernel had no room for is counted, and the sum is exact`() throws {
    let block = try LoopbackBlock()
    let server = try UDPServer(on: block.address(1, port: 53)) { _ in [] }
    let rig = try UDPRig(to: [Endpoint(server.address)], receiveBuffer: 16_384, block: block)
    let clients = try (0..<4).map { _ in try rig.client() }
    for _ in 0..<3 {
      try rig.held {
        for number in 0..<500 { try clients[number % 4].send([UInt8](repeating: 7, count: 500), to: rig.listen) }
      }
      rig.on { _ in }
    }
    try eventually("every datagram is accounted for") { rig.accounted == 1500 }
    #expect(rig.drops(.receiveBufferFull) > 0)
    #expect(rig.served.counters.datagramsIn > 0)
  }

  @Test func `a listener that closes forwards what the kernel holds for it`() throws {
    let block = try LoopbackBlock()
    let server = try UDPServer(on: block.address(1, port: 53)) { _ in [] }
    let rig = try UDPRig(to: [server.address], block: block)
    let client = try rig.client()
    try client.send("first", to: rig.listen)
    _ = try server.next()
    let isSent = Monitor(false)
    // While the shard waits with the end of the listener before it, a client goes on.
    let closing = try TestThread {
      _ = isSent.wait(until: .after(.seconds(10))) { $0 ? true : nil }
      rig.serve(nil)
    }
    try rig.held {
      for _ in 0..<2000 { try client.send("more", to: rig.listen) }
      isSent.update { $0 = true }
    }
    closing.join()
    #expect(rig.accounted == 2001)
    #expect(rig.served.counters.datagramsIn == 2001)
  }
}
