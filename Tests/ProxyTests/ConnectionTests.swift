import Addresses
import Balancing
import Glibc
import Synchronization
import TestKit
import Testing

@testable import Proxy

@Suite(.serialized, .timeLimit(.minutes(1))) struct ConnectionTests {
  @Test func `counters add up after echoes and ends`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let plane = try await Plane(to: [server.address], shards: 2, block: block)
    for _ in 0..<20 {
      let client = try TCPStream(to: plane.listen)
      try client.send("hello")
      #expect(try client.receive(exactly: 5) == Array("hello".utf8))
      try client.shutdownWrite()
      #expect(try client.receiveUntilEnd().end == .eof)
    }
    try await plane.waitUntilIdle()
    #expect(plane.served.counters.accepted == 20)
    #expect(plane.closes(.finished) == 20)
    #expect(
      plane.served.traffic == EndpointState.Traffic(connections: 20, connectFailures: 0, bytesIn: 100, bytesOut: 100))
    #expect(plane.served.endpoints[0].active.load(ordering: .relaxed) == 0)
  }

  @Test func `a refused connect goes to another endpoint, with the bytes that came meanwhile`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let dead = try block.closedPort(2)
    let plane = try await Plane(to: [dead, server.address], block: block)
    for _ in 0..<10 {
      let client = try TCPStream(to: plane.listen)
      try client.send("early")
      #expect(try client.receive(exactly: 5) == Array("early".utf8))
      client.close()
    }
    try await plane.waitUntilIdle()
    #expect(plane.served.endpoints[0].traffic.connectFailures >= 5)
    #expect(plane.served.counters.retries == plane.served.endpoints[0].traffic.connectFailures)
    #expect(plane.served.endpoints[1].traffic.connections == 10)
    #expect(plane.served.endpoints.allSatisfy { $0.active.load(ordering: .relaxed) == 0 })
  }

  @Test func `when every endpoint refuses, the client is reset and the reason is connect-failed`() async throws {
    let block = try LoopbackBlock()
    let plane = try await Plane(to: [try block.closedPort(1), try block.closedPort(2)], block: block)
    do {
      let client = try TCPStream(to: plane.listen)
      #expect(try client.receiveUntilEnd().end == .reset)
    } catch let failure as ConnectFailure {
      // The reset may be there before connect(2) has returned.
      #expect(failure.error == ECONNRESET)
    }
    try await plane.waitUntilIdle()
    #expect(plane.closes(.connectFailed) == 1)
  }

  @Test func `without endpoints the client is reset and the reason is no-endpoint`() async throws {
    let plane = try await Plane(to: [])
    do {
      let client = try TCPStream(to: plane.listen)
      #expect(try client.receiveUntilEnd().end == .reset)
    } catch let failure as ConnectFailure {
      // The reset may be there before connect(2) has returned.
      #expect(failure.error == ECONNRESET)
    }
    try await plane.waitUntilIdle()
    #expect(plane.closes(.noEndpoint) == 1)
  }

  @Test func `an endpoint that never answers is given a third of connect-timeout`() async throws {
    let block = try LoopbackBlock()
    let hole = try BlackHole(on: block.address(2, port: 18080))
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let plane = try await Plane(to: [hole.address, server.address], timeouts: Timeouts(connect: 0.9), block: block)
    let start = ContinuousClock.now
    let client = try TCPStream(to: plane.listen)
    try client.send("x")
    #expect(try client.receive(exactly: 1) == Array("x".utf8))
    let took = ContinuousClock.now - start
    #expect(took > .milliseconds(250) && took < .milliseconds(800), "\(took)")
  }

  @Test func `when no endpoint answers, the client is reset after connect-timeout`() async throws {
    let block = try LoopbackBlock()
    let hole = try BlackHole(on: block.address(2, port: 18080))
    let plane = try await Plane(to: [hole.address], timeouts: Timeouts(connect: 0.6), block: block)
    let client = try TCPStream(to: plane.listen)
    #expect(try client.receiveUntilEnd(within: .seconds(3)).end == .reset)
    try await plane.waitUntilIdle()
    #expect(plane.closes(.connectTimeout) == 1)
    withExtendedLifetime(hole) {}
  }

  @Test func `a silent connection ends after idle-timeout, one with traffic does not`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let plane = try await Plane(to: [server.address], timeouts: Timeouts(idle: 0.5), block: block)
    let busy = try TCPStream(to: plane.listen)
    let silent = try TCPStream(to: plane.listen)
    try silent.send("x")
    _ = try silent.receive(exactly: 1)
    for _ in 0..<8 {
      try busy.send("x")
      #expect(try busy.receive(exactly: 1) == Array("x".utf8))
      stall(.milliseconds(100))
    }
    #expect(plane.closes(.idleTimeout) == 1)
    #expect(try silent.receiveUntilEnd().bytes.isEmpty)
    busy.close()
  }

  @Test func `a half-closed connection ends after half-closed-timeout`() async throws {
    let block = try LoopbackBlock()
    let isOver = Mailbox<Bool>()
    let server = try TestServer(on: block.address(1, port: 18080)) { stream in
      _ = try stream.receiveUntilEnd()
      _ = try isOver.next()
    }
    let plane = try await Plane(to: [server.address], timeouts: Timeouts(halfClosed: 0.4), block: block)
    let client = try TCPStream(to: plane.listen)
    try client.send("x")
    try client.shutdownWrite()
    let start = ContinuousClock.now
    _ = try client.receiveUntilEnd(within: .seconds(5))
    #expect(ContinuousClock.now - start > .milliseconds(350))
    try await plane.waitUntilIdle()
    #expect(plane.closes(.halfClosedTimeout) == 1)
    isOver.post(true)
  }

  @Test func `a reset of a client whose bytes wait for a stalled server is passed on at once`() async throws {
    let block = try LoopbackBlock()
    let seen = Mailbox<TCPStream.End>()
    let stalled = Mailbox<Bool>()
    let server = try TestServer(on: block.address(1, port: 18080), receiveBuffer: 8192) { stream in
      // Reads nothing until the reset is known to have been passed on, so that only the reset can tell.
      _ = try stalled.next()
      stall(.milliseconds(300))
      seen.post(try stream.receiveUntilEnd().end)
    }
    let plane = try await Plane(to: [server.address], block: block)
    let client = try TCPStream(to: plane.listen)
    let sent = try client.sendAsMuch(
      [UInt8](repeating: 7, count: 64 << 20), until: .after(.milliseconds(800)))
    #expect(sent < 64 << 20)
    client.reset()
    stalled.post(true)
    try await plane.waitUntilIdle(within: .seconds(2))
    #expect(try seen.next() == .reset)
    #expect(plane.closes(.clientReset) == 1)
  }

  @Test func `a reset after a half-close is passed on`() async throws {
    let block = try LoopbackBlock()
    let seen = Mailbox<TCPStream.End>()
    let server = try TestServer(on: block.address(1, port: 18080)) { stream in
      guard case .end(.eof) = try stream.receive() else { throw TestFailure("no FIN") }
      // Says nothing: only a reset can end this now.
      let deadline = Deadline.after(.seconds(5))
      while !deadline.hasPassed {
        do { try stream.send("x") } catch {
          seen.post(.reset)
          return
        }
        stall(.milliseconds(600))
      }
    }
    let plane = try await Plane(to: [server.address], block: block)
    let client = try TCPStream(to: plane.listen)
    try client.shutdownWrite()
    stall(.milliseconds(300))
    client.reset()
    try await plane.waitUntilIdle(within: .seconds(2))
    #expect(plane.closes(.clientReset) == 1)
    #expect(try seen.next() == .reset)
  }

  @Test func `a client that leaves before an endpoint has answered is counted as that`() async throws {
    let block = try LoopbackBlock()
    let hole = try BlackHole(on: block.address(2, port: 18080))
    let plane = try await Plane(to: [hole.address], block: block)
    let client = try TCPStream(to: plane.listen)
    stall(.milliseconds(50))
    client.reset()
    try await plane.waitUntilIdle(within: .seconds(1))
    #expect(plane.closes(.clientLeft) == 1)
    withExtendedLifetime(hole) {}
  }
}
