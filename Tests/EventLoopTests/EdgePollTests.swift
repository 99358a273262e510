import CLibEv
import EventLoop
import Glibc
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct EdgePollTests {
  private struct Told: Sendable, Equatable {
    let events: EdgeEvents
    let tag: Int
  }

  /// Posts what it is told of and reads nothing.
  private final class Watcher: EventHandler {
    let seen: Mailbox<Told>
    let edges: EdgePoll

    init(_ edges: EdgePoll, _ seen: Mailbox<Told>) {
      self.edges = edges
      self.seen = seen
    }

    override func edge(_ events: EdgeEvents, tag: Int) {
      seen.post(Told(events: events, tag: tag))
    }
  }

  /// A loop in a thread of its own, with an ``EdgePoll`` and a handler that is told of sockets.
  private final class Bench: Sendable {
    let thread: LoopThread
    let seen = Mailbox<Told>()
    let watcher: LoopBound<Watcher>

    init() throws {
      thread = try LoopThread(name: "edges")
      let seen = seen
      watcher = LoopBound(thread.loop) { loop in Watcher(EdgePoll(loop: loop), seen) }
    }

    func add(_ descriptor: CInt, for events: EdgeEvents = [.readable, .peerClosed], tag: Int = 0) throws {
      let result = Mailbox<CInt>()
      watcher.submit { result.post($0.edges.add(descriptor, for: events, handler: $0, tag: tag)) }
      #expect(try result.next() == 0)
    }

    func `repeat`(_ descriptor: CInt, for events: EdgeEvents = [.readable, .peerClosed], tag: Int = 0) {
      watcher.submit { $0.edges.repeat(descriptor, for: events, handler: $0, tag: tag) }
    }

    /// Returns when the loop has had turns enough to tell of everything that was there before.
    func settle() throws {
      let turn = Mailbox<Void>()
      for _ in 0..<4 {
        watcher.submit { _ in turn.post(()) }
        try turn.next()
      }
    }

    deinit { thread.stopAndJoin() }
  }

  /// Two ends of a TCP connection on the loopback.
  private func pair() throws -> (ours: TCPStream, peer: TCPStream) {
    let listener = try TCPListener(on: try LoopbackBlock().address(1, port: 0))
    let peer = try TCPStream(to: listener.address)
    return (try listener.accept(), peer)
  }

  @Test func `bytes are told of once, though they stay, and each more once`() throws {
    let bench = try Bench()
    let (ours, peer) = try pair()
    try bench.add(ours.descriptor, tag: 1)
    for _ in 0..<3 {
      try peer.send("x")
      #expect(try bench.seen.next() == Told(events: .readable, tag: 1))
      try bench.settle()
      #expect(bench.seen.all.isEmpty)
    }
  }

  @Test func `what is there before the add is told at once`() throws {
    let bench = try Bench()
    let (ours, peer) = try pair()
    try peer.send("x")
    try peer.shutdownWrite()
    try eventually("both are there") { try hasEnded(ours) }
    try bench.add(ours.descriptor)
    #expect(try bench.seen.next() == Told(events: [.readable, .peerClosed], tag: 0))
  }

  @Test func `repeat tells once more of what stays, and of nothing when there is nothing`() throws {
    let bench = try Bench()
    let (ours, peer) = try pair()
    try bench.add(ours.descriptor)
    bench.repeat(ours.descriptor)
    try bench.settle()
    #expect(bench.seen.all.isEmpty)
    try peer.send("x")
    #expect(try bench.seen.next().events == .readable)
    bench.repeat(ours.descriptor, tag: 1)
    #expect(try bench.seen.next() == Told(events: .readable, tag: 1))
    try bench.settle()
    #expect(bench.seen.all.isEmpty)
    _ = try ours.receive(exactly: 1)
    bench.repeat(ours.descriptor)
    try bench.settle()
    #expect(bench.seen.all.isEmpty)
  }

  @Test func `repeat may ask for writing as well, which is told when there is room again`() throws {
    let bench = try Bench()
    let (ours, peer) = try pair()
    try bench.add(ours.descriptor)
    bench.repeat(ours.descriptor, for: [.readable, .writable, .peerClosed])
    #expect(try bench.seen.next().events == .writable)
    // Until EAGAIN: only then more room is an event.
    let sent = try ours.sendAsMuch([UInt8](repeating: 1, count: 64 << 20), until: .after(.milliseconds(100)))
    #expect(sent < 64 << 20)
    let before = bench.seen.all.count
    _ = try peer.receive(exactly: sent)
    try eventually("room is told of") { bench.seen.all.count > before }
    #expect(bench.seen.all.last?.events == .writable)
  }

  @Test func `a FIN is peerClosed, also behind bytes, and a reset is failed`() throws {
    let bench = try Bench()
    let (ours, peer) = try pair()
    try bench.add(ours.descriptor)
    try peer.send("x")
    #expect(try bench.seen.next().events == .readable)
    try peer.shutdownWrite()
    #expect(try bench.seen.next().events == [.readable, .peerClosed])
    peer.reset()
    #expect(try bench.seen.next().events.isSuperset(of: [.failed, .hungUp]))
  }

  @Test func `urgent data is told of, for reads stop at it`() throws {
    let bench = try Bench()
    let (ours, peer) = try pair()
    try bench.add(ours.descriptor, for: [.readable, .urgent, .peerClosed])
    var byte: UInt8 = 1
    #expect(unsafe Glibc.send(peer.descriptor, &byte, 1, CInt(MSG_OOB)) == 1)
    #expect(try bench.seen.next().events.contains(.urgent))
  }

  @Test func `hundreds of sockets that are ready at once are told of in the next turn, not turn by turn`() throws {
    let bench = try Bench()
    let pairs = try (0..<500).map { _ in try pair() }
    for (ours, _) in pairs { try bench.add(ours.descriptor) }
    let told = Mailbox<Int>()
    let seen = bench.seen
    bench.watcher.submit { watcher in
      for (_, peer) in pairs { try? peer.send("x") }
      // The turn after this one, and the one after that, in which the order does not matter any more.
      bench.watcher.submit { _ in bench.watcher.submit { _ in told.post(seen.all.count) } }
    }
    #expect(try told.next() == 500)
  }

  @Test func `a closed descriptor says nothing more, nor does the next with its number`() throws {
    let bench = try Bench()
    let (ours, peer) = try pair()
    let (other, otherPeer) = try pair()
    try bench.add(ours.descriptor)
    // In place of the first, whose socket is closed by it.
    #expect(dup2(other.descriptor, ours.descriptor) == ours.descriptor)
    try? peer.send("x")
    try otherPeer.send("y")
    try bench.settle()
    #expect(bench.seen.all.isEmpty)
    try bench.add(ours.descriptor, tag: 1)
    #expect(try bench.seen.next() == Told(events: .readable, tag: 1))
  }

  @Test func `a descriptor that cannot be watched is an error`() throws {
    let bench = try Bench()
    let result = Mailbox<CInt>()
    let file = unsafe open("/proc/self/status", O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    bench.watcher.submit { result.post($0.edges.add(file, for: .readable, handler: $0, tag: 0)) }
    #expect(try result.next() == EPERM)
    bench.watcher.submit { result.post($0.edges.add(-1, for: .readable, handler: $0, tag: 0)) }
    #expect(try result.next() == EBADF)
  }

  /// Retires itself at its first event, and tells when it is freed.
  private final class Leaver: EventHandler {
    let loop: EventLoop
    let seen: Mailbox<String>
    // The only strong reference, as a shard's table has it.
    var me: Leaver?

    init(_ loop: EventLoop, _ edges: EdgePoll, _ sockets: [CInt], _ seen: Mailbox<String>) {
      self.loop = loop
      self.seen = seen
      super.init()
      me = self
      for (tag, socket) in sockets.enumerated() {
        _ = edges.add(socket, for: .readable, handler: self, tag: tag)
      }
    }

    override func edge(_ events: EdgeEvents, tag: Int) {
      seen.post("told")
      guard let me else { return }
      loop.retire(me)
      self.me = nil
    }

    deinit { seen.post("freed") }
  }

  @Test func `a handler that is retired in its own callback lives through the batch, and is freed after it`() throws {
    let thread = try LoopThread(name: "edges")
    let seen = Mailbox<String>()
    let pairs = try (0..<2).map { _ in try pair() }
    // Both are ready before the add: both events are in one batch.
    for pair in pairs {
      try pair.peer.send("x")
      try eventually("it is there") { try isReadable(pair.ours) }
    }
    let sockets = pairs.map(\.ours.descriptor)
    let edges = LoopBound(thread.loop) { EdgePoll(loop: $0) }
    edges.submit { _ = Leaver(thread.loop, $0, sockets, seen) }
    #expect(try (0..<3).map { _ in try seen.next() } == ["told", "told", "freed"])
    withExtendedLifetime((edges, pairs)) { thread.stopAndJoin() }
  }

  private func isReadable(_ stream: TCPStream) throws -> Bool { try state(stream) & POLLIN != 0 }
  private func hasEnded(_ stream: TCPStream) throws -> Bool { try state(stream) & 0x2000 != 0 }
  private func state(_ stream: TCPStream) throws -> CInt {
    var entry = pollfd(fd: stream.descriptor, events: Int16(POLLIN) | 0x2000, revents: 0)
    guard unsafe poll(&entry, 1, 0) >= 0 else { throw TestFailure("poll: \(errno)") }
    return CInt(entry.revents)
  }
}
