import Addresses
import Balancing
import EventLoop
import Glibc
import TestKit
import Testing

@testable import Proxy

/// What is told of once and must not be forgotten, one case each, on a shard that looks when the test lets it.
@Suite(.serialized, .timeLimit(.minutes(1))) struct EdgeTests {
  /// A shard with one Service port, and connections to it without a listener.
  private final class Bench: Sendable {
    let block: LoopbackBlock
    let served: ServedPort
    let shard: LoopBound<Shard>
    private let thread: LoopThread
    private let front: TCPListener

    init(to endpoints: [SocketAddress], block: LoopbackBlock) throws {
      signal(SIGPIPE, SIG_IGN)
      self.block = block
      thread = try LoopThread(name: "shard")
      shard = LoopBound(thread.loop) { Shard(index: 0, loop: $0, flowLimit: 8) }
      front = try TCPListener(on: block.address(50, port: 8080))
      var builder = SnapshotBuilder(shardCount: 1, reasonCount: DataPlane.reasonCount)
      served =
        builder.build([
          ServicePort(service: "default/test", listen: [front.address], endpoints: endpoints.map { Endpoint($0) })
        ]).ports[0]
    }

    /// A client, and the descriptor of its connection on our side.
    func client() throws -> (client: TCPStream, descriptor: CInt) {
      let client = try TCPStream(to: front.address)
      let ours = try front.accept()
      let descriptor = fcntl(ours.descriptor, F_DUPFD_CLOEXEC, 0)
      ours.close()
      return (client, descriptor)
    }

    func open(_ descriptor: CInt) {
      shard.submit { [served] in
        $0.open(OwnedDescriptor(descriptor), served: served, source: IPAddress(v4: 0x7f00_0001))
      }
    }

    /// Runs `body` while the shard looks at nothing: what happens meanwhile is told of at one look.
    func whileHeld<R>(_ body: () throws -> R) throws -> R {
      let isHeld = Mailbox<Void>()
      let isOver = Mailbox<Void>()
      shard.submit { _ in
        isHeld.post(())
        try? isOver.next()
      }
      try isHeld.next()
      defer { isOver.post(()) }
      return try body()
    }

    /// How often the shard's thread has waited so far.
    func wakeups() throws -> Int {
      let answer = Mailbox<Int>()
      shard.submit { _ in
        var usage = rusage()
        // RUSAGE_THREAD of <sys/resource.h>, which only GNU's C sees.
        unsafe getrusage(1, &usage)
        answer.post(usage.ru_nvcsw)
      }
      return try answer.next()
    }

    var bytesIn: Int { Int(served.traffic.bytesIn) }

    func closes(_ reason: CloseReason) -> UInt64 { served.counters.closed(reason: reason.index) }

    deinit { thread.stopAndJoin() }
  }

  @Test func `bytes behind urgent data arrive, though a read stops short of it`() throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let bench = try Bench(to: [server.address], block: block)
    let (client, descriptor) = try bench.client()
    bench.open(descriptor)
    try client.send("a")
    #expect(try client.receive(exactly: 1) == Array("a".utf8))
    try bench.whileHeld {
      try client.send("before")
      var urgent: UInt8 = 1
      #expect(unsafe Glibc.send(client.descriptor, &urgent, 1, CInt(MSG_OOB)) == 1)
      try client.send("behind")
    }
    // Nothing else comes, so nothing else makes it read on.
    #expect(try client.receive(exactly: 12, within: .seconds(3)) == Array("beforebehind".utf8))
    client.close()
  }

  @Test func `bytes behind urgent data arrive at the client as well`() throws {
    let block = try LoopbackBlock()
    let listener = try TCPListener(on: block.address(1, port: 18080))
    let bench = try Bench(to: [listener.address], block: block)
    let (client, descriptor) = try bench.client()
    bench.open(descriptor)
    let server = try listener.accept()
    try client.send("a")
    #expect(try server.receive(exactly: 1) == Array("a".utf8))
    // The first answer is read twice, to look for its end.
    try server.send("b")
    #expect(try client.receive(exactly: 1) == Array("b".utf8))
    try bench.whileHeld {
      try server.send("before")
      var urgent: UInt8 = 1
      #expect(unsafe Glibc.send(server.descriptor, &urgent, 1, CInt(MSG_OOB)) == 1)
      try server.send("behind")
    }
    #expect(try client.receive(exactly: 12, within: .seconds(3)) == Array("beforebehind".utf8))
    client.close()
  }

  @Test func `a reset told of together with bytes that then have to wait is passed on at once`() throws {
    let block = try LoopbackBlock()
    let hole = try BlackHole(on: block.address(1, port: 18080))
    let bench = try Bench(to: [hole.address], block: block)
    let (client, descriptor) = try bench.client()
    try bench.whileHeld {
      bench.open(descriptor)
      try client.send("x")
      client.reset()
    }
    try eventually("the client is known to have left", within: .seconds(1)) { bench.closes(.clientLeft) == 1 }
    withExtendedLifetime(hole) {}
  }

  @Test func `an endpoint that speaks first and resets is not replaced: its client has bytes of it`() throws {
    let block = try LoopbackBlock()
    let listener = try TCPListener(on: block.address(1, port: 18080))
    let other = try TestServer(on: block.address(2, port: 18080)) { try $0.send("other") }
    let bench = try Bench(to: [listener.address, other.address], block: block)
    let (client, descriptor) = try bench.client()
    bench.open(descriptor)
    try bench.whileHeld {
      let server = try listener.accept()
      try server.send("abc")
      server.reset()
    }
    let (bytes, end) = try client.receiveUntilEnd()
    #expect(bytes == Array("abc".utf8) && end == .reset)
    try eventually("it is counted") { bench.closes(.serverReset) == 1 }
    #expect(bench.served.counters.retries == 0)
    #expect(bench.served.traffic.connections == 1)
  }

  @Test func `an event of an upstream that was replaced in the same batch says nothing of the next`() throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(2, port: 18080), Handlers.echo)
    let bench = try Bench(to: [try block.closedPort(1), server.address], block: block)
    let (client, descriptor) = try bench.client()
    try client.send("x")
    let result = Mailbox<[Bool]>()
    bench.shard.submit { [served = bench.served] shard in
      let connection = Connection(shard: shard, served: served, client: OwnedDescriptor(descriptor))
      connection.open(source: IPAddress(v4: 0x7f00_0001))
      let first = connection.upstreamTag
      // The client's bytes find out that it is refused; then comes what was told of the refusal itself.
      connection.edge(.readable, tag: 0)
      let second = connection.upstreamTag
      connection.edge([.readable, .peerClosed, .failed, .hungUp], tag: first)
      result.post([first != second, connection.isUpstreamEnding])
      connection.close(.shutdown)
    }
    #expect(try result.next() == [true, false])
    #expect(bench.served.counters.retries == 1)
  }

  @Test func `bytes that wait while an endpoint refuses go to the next, once it is connected`() throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(3, port: 18080), Handlers.echo)
    let bench = try Bench(to: [try block.closedPort(1), try block.closedPort(2), server.address], block: block)
    let (client, descriptor) = try bench.client()
    try client.send("x")
    let made = Mailbox<LoopBound<Connection>>()
    bench.shard.submit { [served = bench.served] shard in
      let connection = Connection(shard: shard, served: served, client: OwnedDescriptor(descriptor))
      connection.open(source: IPAddress(v4: 0x7f00_0001))
      // The bytes come first: it is they that are refused.
      connection.edge(.readable, tag: 0)
      nonisolated(unsafe) let box = connection
      made.post(LoopBound(shard.loop) { _ in unsafe box })
    }
    let connection = try made.next()
    #expect(try client.receive(exactly: 1, within: .seconds(3)) == Array("x".utf8))
    #expect(bench.served.counters.retries == 2)
    let isClosed = Mailbox<Void>()
    connection.submit {
      $0.close(.shutdown)
      isClosed.post(())
    }
    try isClosed.next()
  }

  @Test func `an endpoint that speaks first may say more than one read takes`() throws {
    let block = try LoopbackBlock()
    let listener = try TCPListener(on: block.address(1, port: 18080))
    let bench = try Bench(to: [listener.address], block: block)
    let (client, descriptor) = try bench.client()
    bench.open(descriptor)
    let bytes = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let server = try bench.whileHeld {
      let server = try listener.accept()
      try server.send(bytes)
      return server
    }
    #expect(try client.receive(exactly: bytes.count, within: .seconds(3)) == bytes)
    client.close()
    server.close()
  }

  @Test func `bytes that nobody can take yet wake the shard once, and are all relayed later`() throws {
    let block = try LoopbackBlock()
    let listener = try TCPListener(on: block.address(1, port: 18080), receiveBuffer: 8192)
    let bench = try Bench(to: [listener.address], block: block)
    let (client, descriptor) = try bench.client()
    bench.open(descriptor)
    var sent: [UInt8] = []
    func send(_ count: Int) throws {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: (sent.count + $0) / 3) }
      try client.send(bytes)
      sent += bytes
    }
    let server = try listener.accept()
    // Until the endpoint's socket is full, and ours to it.
    var isStuck = false
    for _ in 0..<256 where !isStuck {
      try send(65536)
      isStuck = (try? eventually("they pass", within: .milliseconds(100)) { bench.bytesIn == sent.count }) == nil
    }
    try #require(isStuck)
    let before = try bench.wakeups()
    for _ in 0..<100 {
      try send(100)
      usleep(1000)
    }
    // One for the first of them, two for the questions, and a few for others' tasks on a busy machine.
    #expect(try bench.wakeups() - before < 20)
    #expect(try server.receive(exactly: sent.count) == sent)
    // Nothing waits any more, and what comes is told of as before.
    try client.send("end")
    #expect(try server.receive(exactly: 3, within: .seconds(3)) == Array("end".utf8))
    client.close()
    #expect(try server.receiveUntilEnd().end == .eof)
    server.close()
    try eventually("it is closed") { bench.closes(.finished) == 1 }
  }

  @Test func `when sockets cannot be watched any more, clients are reset and nothing stays open`() throws {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let bench = try Bench(to: [server.address], block: block)
    let (client, descriptor) = try bench.client()
    // Watched already, so that adding it once more fails (epoll_ctl(2), EEXIST); the upstream is fine.
    let other = Mailbox<CInt>()
    nonisolated(unsafe) let bystander = EventHandler()
    bench.shard.submit { shard in
      unsafe other.post(shard.edges.add(descriptor, for: [], handler: bystander, tag: 0))
    }
    #expect(try other.next() == 0)
    bench.open(descriptor)
    #expect(try client.receiveUntilEnd().end == .reset)
    try eventually("it is counted") { bench.closes(.outOfResources) == 1 }
    let count = Mailbox<Int>()
    bench.shard.submit { count.post($0.connectionCount) }
    #expect(try count.next() == 0)
    #expect(bench.served.endpoints[0].active.load(ordering: .relaxed) == 0)
    unsafe withExtendedLifetime(bystander) {}
  }
}
