import Balancing
import CLibEv
import EventLoop
import Glibc
import TestKit
import Testing

@testable import Proxy

/// What becomes of bytes, ends and counts where something breaks or comes at an awkward moment.
@Suite(.serialized, .timeLimit(.minutes(1))) struct FailureTests {
  @Test func `a reset right behind an answer reaches the client as a reset`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(
      on: block.address(1, port: 18080), Handlers.resetAfterData([1, 2, 3], delay: .zero))
    let plane = try await Plane(to: [server.address], block: block)
    for _ in 0..<200 {
      let client = try TCPStream(to: plane.listen)
      try client.send("x")
      #expect(try client.receiveUntilEnd().end == .reset)
    }
    try await plane.waitUntilIdle()
    #expect(plane.closes(.serverReset) == 200)
  }

  @Test func `urgent data in a bulk transfer does not end it`() async throws {
    let block = try LoopbackBlock()
    let count = 16 << 20
    let seen = Mailbox<Int>()
    let server = try TestServer(on: block.address(1, port: 18080)) { stream in
      seen.post(try stream.receiveUntilEnd().bytes.count)
    }
    let plane = try await Plane(to: [server.address], block: block)
    let client = try TCPStream(to: plane.listen)
    let bytes = [UInt8](repeating: 7, count: count)
    try client.send(bytes)
    var urgent: UInt8 = 1
    let deadline = Deadline.after(.seconds(10))
    while unsafe Glibc.send(client.descriptor, &urgent, 1, CInt(MSG_OOB)) != 1, !deadline.hasPassed {
      stall(.milliseconds(1))
    }
    try client.send(bytes)
    try client.shutdownWrite()
    // The urgent byte itself is out of band and not passed on.
    #expect(try seen.next() == 2 * count)
    try await plane.waitUntilIdle()
    #expect(plane.closes(.finished) == 1)
  }

  @Test func `a FIN that waits for the connect is passed on though the timer finds it made`() async throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080)) { stream in
      _ = try stream.receiveUntilEnd()
      try stream.send("over")
    }
    // A third of it is 1 ms, so that timers run out in the very turn that a connect succeeds.
    let plane = try await Plane(to: [server.address], timeouts: Timeouts(connect: 0.003), block: block)
    for _ in 0..<20 {
      let clients = try (0..<50).map { _ in
        let client = try TCPStream(to: plane.listen)
        try client.shutdownWrite()
        return client
      }
      for client in clients {
        let (bytes, end) = try client.receiveUntilEnd()
        // A busy machine may also need more than those 3 ms: then the client is reset.
        #expect(end == .reset || bytes == Array("over".utf8))
      }
    }
    try await plane.waitUntilIdle()
    #expect(plane.served.endpoints[0].active.load(ordering: .relaxed) == 0)
  }

  @Test func `a timeout that drops bytes is a reset to whoever was to get them`() async throws {
    let block = try LoopbackBlock()
    let isOver = Mailbox<Bool>()
    let seen = Mailbox<TCPStream.End>()
    let server = try TestServer(on: block.address(1, port: 18080), receiveBuffer: 8192) { stream in
      _ = try isOver.next(within: .seconds(20))
      seen.post(try stream.receiveUntilEnd().end)
    }
    let plane = try await Plane(to: [server.address], timeouts: Timeouts(idle: 0.4), block: block)
    let client = try TCPStream(to: plane.listen)
    _ = try client.sendAsMuch([UInt8](repeating: 7, count: 64 << 20), until: .after(.milliseconds(300)))
    try await plane.waitUntilIdle()
    isOver.post(true)
    #expect(plane.closes(.idleTimeout) == 1)
    #expect(try seen.next() == .reset)
    withExtendedLifetime(client) {}
  }

  @Test func `a client that resets without a byte is a reset to the endpoint that had accepted`() async throws {
    let block = try LoopbackBlock()
    let seen = Mailbox<TCPStream.End>()
    let server = try TestServer(on: block.address(1, port: 18080)) { stream in
      seen.post(try stream.receiveUntilEnd().end)
    }
    let plane = try await Plane(to: [server.address], block: block)
    let client = try TCPStream(to: plane.listen)
    try eventually("the endpoint's accept") { server.acceptedCount == 1 }
    client.reset()
    #expect(try seen.next() == .reset)
    try await plane.waitUntilIdle()
    #expect(plane.closes(.clientLeft) == 1)
  }

  @Test func `bytes that waited for another endpoint are its first send, and the second leaves at once`() throws {
    let block = try LoopbackBlock()
    let shard = Shard(index: 0, loop: EventLoop(), flowLimit: 8)
    let counters = TrafficCounters()
    var source: [CInt] = [0, 0]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | 0o4000, 0, &source) == 0)
    defer { for descriptor in source { close(descriptor) } }
    let listener = try TCPListener(on: block.address(1, port: 18080))
    let sink = try TCPStream(to: listener.address)
    try #require(clinux_set_option(sink.descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 0) == 0)
    let relay = Relay.toServer(from: source[0])
    // Not connected: the bytes are kept for another.
    let unconnected = clinux_socket(AF_INET, Int32(SOCK_STREAM.rawValue))
    defer { close(unconnected) }
    relay.setSink(unconnected)
    try #require(unsafe Glibc.send(source[1], "a", 1, 0) == 1)
    _ = relay.sourceReady(shard, limit: 4096, delivered: counters.bytesIn)
    #expect(relay.isBlocked)
    relay.setSink(sink.descriptor)
    _ = relay.sinkReady(shard, delivered: counters.bytesIn)
    try #require(unsafe Glibc.send(source[1], "b", 1, 0) == 1)
    _ = relay.sourceReady(shard, limit: 4096, delivered: counters.bytesIn)
    #expect(counters.bytesIn.current == 2)
    var noDelay: CInt = 0
    _ = unsafe clinux_get_option(sink.descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &noDelay)
    #expect(noDelay == 1)
    relay.discard(shard)
  }

  @Test func `a relay knows when a sink has some of the bytes, which then are no other's`() throws {
    let shard = Shard(index: 0, loop: EventLoop(), flowLimit: 8)
    let counters = TrafficCounters()
    var (source, sink): ([CInt], [CInt]) = ([0, 0], [0, 0])
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | 0o4000, 0, &source) == 0)
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | 0o4000, 0, &sink) == 0)
    defer { for descriptor in source + sink { close(descriptor) } }
    _ = clinux_set_option(sink[0], SOL_SOCKET, SO_SNDBUF, 4608)
    let relay = Relay.toServer(from: source[0])
    relay.setSink(sink[0])
    let bytes = [UInt8](repeating: 1, count: 100_000)
    try #require(unsafe Glibc.send(source[1], bytes, bytes.count, 0) > 16 << 10)
    guard case .blocked = relay.sourceReady(shard, limit: 64 << 10, delivered: counters.bytesIn) else {
      Issue.record("the sink took all")
      return
    }
    #expect(relay.isPartlySent == (counters.bytesIn.current > 0))
    #expect(relay.isPartlySent)
    relay.setSink(sink[0])
    #expect(!relay.isPartlySent)
    relay.discard(shard)
  }
}
