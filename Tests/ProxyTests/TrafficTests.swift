import Addresses
import Balancing
import CLibEv
import Glibc
import TestKit
import Testing

@testable import Proxy

/// Whole connections at once, each byte and each end checked.
@Suite(.serialized, .timeLimit(.minutes(1))) struct TrafficTests {
  @Test func `whatever is sent arrives whole and in order, and each end after its last byte`() async throws {
    let seed = testSeed()
    var random = SeededRandom(seed: seed)
    let count = 160
    let block = try LoopbackBlock()
    let listeners = [
      try TCPListener(on: block.address(1, port: 18080)),
      try TCPListener(on: block.address(2, port: 18080), receiveBuffer: 16384, segment: 1460),
    ]
    // Every third connection is refused first, with what its client has sent meanwhile.
    let endpoints = [try block.closedPort(3)] + listeners.map(\.address)
    let plane = try await Plane(to: endpoints, shards: 2, block: block)
    let plans = (0..<count).map { TrafficPlan(number: $0, isServer: false, random: &random) }
    var serverRandom = random
    let traffic = Traffic(seed: seed, listeners: listeners) {
      TrafficPlan(number: $0, isServer: true, random: &serverRandom)
    }
    for plan in plans { try traffic.start(plan, to: plane.listen) }
    let accepted = { plane.served.counters.accepted == UInt64(count) }
    let active = { plane.served.endpoints.allSatisfy { $0.active.load(ordering: .relaxed) == 0 } }
    try await traffic.run(within: .seconds(18)) { accepted() && active() }
    try await plane.waitUntilIdle()

    for (ends, others) in [(traffic.clients, traffic.servers), (traffic.servers, traffic.clients)] {
      let resets = others.filter { $0.outcome == .didReset }.count
      #expect(ends.filter { $0.outcome == .wasReset }.count <= resets)
      // Ends that say nothing have no name: as many are heard as there are.
      let mute = others.filter { $0.plan.total == 0 && $0.outcome == .finished }.count
      #expect(ends.filter { $0.received == 0 && $0.outcome == .finished }.count == mute)
    }
    let closed = CloseReason.allCases.map { plane.closes($0) }.reduce(0, +)
    #expect(closed == UInt64(count))
    let resets = (traffic.clients + traffic.servers).filter { $0.outcome == .didReset }.count
    #expect(plane.closes(.finished) >= UInt64(count - resets))
    let bytes = plane.served.traffic
    #expect(bytes.bytesIn >= UInt64(traffic.servers.map(\.received).reduce(0, +)))
    #expect(bytes.bytesOut >= UInt64(traffic.clients.map(\.received).reduce(0, +)))
    #expect(plane.served.counters.retries > 0)
    try expectNothingOpen(in: block, listening: 2 + listeners.count, refused: Int(plane.served.counters.retries))
  }

  @Test func `what was sent while the endpoint's queue was full arrives once there is room`() async throws {
    let seed = testSeed()
    let block = try LoopbackBlock()
    let listener = try TCPListener(on: block.address(1, port: 18080), backlog: 0, segment: 1460)
    // A queue of 0 holds one connection: whoever comes now is not answered.
    let filler = try TCPStream(to: listener.address)
    let plane = try await Plane(to: [listener.address], timeouts: Timeouts(connect: 30), block: block)
    let traffic = Traffic(seed: seed, listeners: [listener]) {
      TrafficPlan(number: $0, total: 1 << 20, start: .afterPeerEnd, receiveBuffer: nil)
    }
    // Some have a FIN behind their bytes, one nothing but a FIN; more than one read takes while connecting, and more
    // than sockets hold.
    for (number, total) in [0, 8, 1_000, 16 << 10, 100_000, 3 << 20].enumerated() {
      try traffic.start(TrafficPlan(number: number, total: total), to: plane.listen)
    }
    let clients = UInt64(traffic.clients.count)
    try eventually("all are accepted") { plane.served.counters.accepted == clients }
    // Room for all: they ask once more after a second, then two (tcp(7)).
    #expect(listen(listener.descriptor, 128) == 0)
    try listener.accept().close()
    filler.close()
    try await traffic.run(within: .seconds(15)) { traffic.servers.count == traffic.clients.count }
    #expect((traffic.clients + traffic.servers).allSatisfy { $0.outcome == .finished })
    try await plane.waitUntilIdle()
    #expect(plane.closes(.finished) == clients)
  }

  @Test func `an endpoint that reads nothing for a while gets all of it, and the end that came meanwhile`() async throws
  {
    let seed = testSeed()
    let block = try LoopbackBlock()
    let listener = try TCPListener(on: block.address(1, port: 18080), receiveBuffer: 16384, segment: 1460)
    let plane = try await Plane(to: [listener.address], block: block)
    // Reads late, and answers only when it has all.
    let traffic = Traffic(seed: seed, listeners: [listener]) {
      TrafficPlan(number: $0, total: 8, start: .afterPeerEnd, firstPause: .milliseconds(500))
    }
    // Up to what the sockets between hold, so that the last bytes and the FIN come while the proxy waits.
    for number in 0..<12 {
      try traffic.start(TrafficPlan(number: number, total: 60_000 << (number / 2)), to: plane.listen)
    }
    try await traffic.run(within: .seconds(18)) { traffic.servers.count == traffic.clients.count }
    #expect((traffic.clients + traffic.servers).allSatisfy { $0.outcome == .finished })
    try await plane.waitUntilIdle()
    #expect(plane.closes(.finished) == 12)
  }

  @Test func `a client that reads nothing for a while gets all of it, and the end that came meanwhile`() async throws {
    let seed = testSeed()
    let block = try LoopbackBlock()
    let listener = try TCPListener(on: block.address(1, port: 18080))
    let plane = try await Plane(to: [listener.address], block: block)
    let traffic = Traffic(seed: seed, listeners: [listener]) {
      TrafficPlan(number: $0, total: 60_000 << (($0 - Traffic.firstServer) / 2))
    }
    for number in 0..<12 {
      try traffic.start(
        TrafficPlan(number: number, total: 8, firstPause: .milliseconds(500), receiveBuffer: 16384), to: plane.listen)
    }
    try await traffic.run(within: .seconds(18)) { traffic.servers.count == traffic.clients.count }
    #expect((traffic.clients + traffic.servers).allSatisfy { $0.outcome == .finished })
    try await plane.waitUntilIdle()
    #expect(plane.closes(.finished) == 12)
  }

  @Test func `the last byte of a bulk transfer arrives though no end is behind it`() async throws {
    let block = try LoopbackBlock()
    let count = 24 << 20
    let server = try TestServer(on: block.address(1, port: 18080)) { stream in
      while true {
        _ = try stream.receive(exactly: count)
        try stream.send("x")
      }
    }
    let plane = try await Plane(to: [server.address], block: block)
    let client = try TCPStream(to: plane.listen)
    let bytes = [UInt8](repeating: 7, count: count)
    for _ in 0..<8 {
      try client.send(bytes)
      #expect(try client.receive(exactly: 1) == Array("x".utf8))
    }
    client.close()
  }

  @Test func `a bulk stream leaves others their turns`() async throws {
    let block = try LoopbackBlock()
    let bulk = try TestServer(on: block.address(1, port: 18080), Handlers.silent)
    let echo = try TestServer(on: block.address(2, port: 18080), Handlers.echo)
    let plane = try await Plane(to: [bulk.address, echo.address], block: block)
    // Round robin: the first goes to the bulk's endpoint.
    let stream = try TCPStream(to: plane.listen)
    let sender = try TestThread {
      let bytes = [UInt8](repeating: 7, count: 1 << 20)
      while (try? stream.send(bytes)) != nil {}
    }
    try eventually("the bulk flows") { plane.served.traffic.bytesIn > 64 << 20 }
    let small = try TCPStream(to: plane.listen)
    let before = plane.served.traffic.bytesIn
    let start = ContinuousClock.now
    for _ in 0..<200 {
      try small.send("x")
      #expect(try small.receive(exactly: 1) == Array("x".utf8))
    }
    let took = ContinuousClock.now - start
    let moved = plane.served.traffic.bytesIn - before
    #expect(took < .seconds(4), "200 round trips took \(took) beside \(moved) bytes")
    #expect(moved > 1 << 20)
    stream.reset()
    sender.join()
  }

  /// Waits until no TCP socket with an address of `block` is open but those that listen, and the `refused` connects have
  /// left none: such a socket has no address of the block any more, and other tests may have a few that are alike.
  ///
  /// Other tests of this process open descriptors as well: their number alone would say nothing.
  private func expectNothingOpen(in block: LoopbackBlock, listening: Int, refused: Int) throws {
    let prefix = "\(block.address(1))".split(separator: ".").prefix(3).joined(separator: ".") + "."
    try eventually("all sockets are closed") {
      var open = 0
      var unconnected = 0
      for descriptor in 0..<CInt(sysconf(CInt(_SC_OPEN_MAX))) where descriptor < 4096 {
        guard let address = localAddress(descriptor) else { continue }
        if "\(address.address)".hasPrefix(prefix) { open += 1 }
        if clinux_tcp_state(descriptor) == CInt(TCP_CLOSE) { unconnected += 1 }
      }
      // One more holds the block.
      return open == listening + 1 && unconnected < max(refused / 2, 1)
    }
  }

  /// The local address of a TCP socket; nil for any other descriptor.
  private func localAddress(_ descriptor: CInt) -> SocketAddress? {
    var kind: CInt = 0
    guard unsafe clinux_get_option(descriptor, SOL_SOCKET, SO_TYPE, &kind) == 0, kind == CInt(SOCK_STREAM.rawValue)
    else { return nil }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe getsockname(descriptor, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &length)
    }
    return result == 0 ? SocketAddress(storage) : nil
  }
}
