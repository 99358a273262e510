import Addresses
import TestKit
import Testing

/// `run --listen … --to …`: no Kubernetes at all.
@Suite struct SidecarTests {
  @Test("all --listen share all --to, and weights count", .timeLimit(.minutes(1)), arguments: [1, 2])
  func weights(shards: Int) throws {
    let block = try LoopbackBlock()
    let one = try TestServer(on: block.address(1, port: 18080), Handlers.name("one"))
    let three = try TestServer(on: block.address(2, port: 18080), Handlers.name("three"))
    let listeners = [block.address(50, port: 8080), block.address(50, port: 8081)]
    let process = try RoadsteadBinary.start([
      "run", "--listen", "tcp://\(listeners[0])", "--listen", "\(listeners[1])", "--to", "\(one.address)",
      "--to", "\(three.address),weight=3", "--shards", "\(shards)", "--admin", "none",
    ])
    for listener in listeners {
      // Not by a connection of ours: it would take a turn.
      try process.waitForLine(containing: "\(listener)/TCP →")
    }
    for listener in listeners {
      var counts: [String: Int] = [:]
      for _ in 0..<40 { counts[try podName(at: listener), default: 0] += 1 }
      #expect(counts == ["one": 10, "three": 30])
    }
    #expect(process.isRunning)
  }

  @Test("IPv6 works on both sides", .timeLimit(.minutes(1)))
  func ipv6() throws {
    let backend = try #require(SocketAddress("[::1]:0"))
    let server = try TestServer(on: backend, Handlers.name("six"))
    let listen = try TCPListener(on: backend).address
    let process = try RoadsteadBinary.start([
      "run", "--listen", "tcp://\(listen)", "--to", "\(server.address)", "--admin", "none",
    ])
    try process.waitForLine(containing: "→")
    #expect(try podName(at: listen) == "six")
  }
}
