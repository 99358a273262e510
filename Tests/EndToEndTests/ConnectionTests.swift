import Addresses
import TestKit
import Testing

/// Many connections, checked byte by byte.
@Suite struct ConnectionTests {
  @Test(
    "random opens, writes, half-closes, closes and resets from a seed lose, double or swap no byte",
    .timeLimit(.minutes(2)), arguments: Route.allCases)
  func randomTraffic(route: Route) throws {
    let seed = testSeed()
    let open = try route.open(RandomTraffic.serve)
    let failures = Mailbox<String>()
    let threads = try (0..<8).map { lane in
      try TestThread {
        var random = SeededRandom(seed: seed &+ UInt64(lane))
        for number in 0..<25 {
          do {
            try RandomTraffic.client(to: open.address, &random)
          } catch {
            failures.post("lane \(lane), connection \(number): \(error)")
          }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(failures.all == [], "ROADSTEAD_SEED=\(seed)")
    open.verify()
  }

  @Test("2,000 connections at once each get their own bytes back", .timeLimit(.minutes(2)), arguments: Route.allCases)
  func manyAtOnce(route: Route) throws {
    try #require(raiseDescriptorLimit(to: 10_000), "needs a limit of 10,000 descriptors (ulimit -Hn)")
    let open = try route.open(Handlers.echo)
    let clients = try (0..<2000).map { _ in try TCPStream(to: open.address) }
    for round in 0..<2 {
      for (number, client) in clients.enumerated() { try client.send("connection \(number), round \(round)") }
      for (number, client) in clients.enumerated() {
        let expected = Array("connection \(number), round \(round)".utf8)
        #expect(try client.receive(exactly: expected.count) == expected)
      }
    }
    try eventually("all are accepted") { open.server.acceptedCount == 2000 }
    for client in clients { try client.shutdownWrite() }
    for client in clients {
      let rest = try client.receiveUntilEnd()
      #expect(rest.bytes.isEmpty && rest.end == .eof)
    }
    open.verify()
  }
}
