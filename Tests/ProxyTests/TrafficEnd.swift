import Addresses
import CLibEv
import Glibc
import TestKit

/// What one end of a connection sends, how it reads and how it ends.
struct TrafficPlan {
  enum Ending { case fin, reset }
  /// When it sends what comes behind its header.
  enum Start { case atOnce, afterFirstBytes, afterPeerEnd }

  /// Names it in its header, and with the test's seed makes its bytes.
  let number: Int
  /// Bytes in all: none, or a header at least.
  let total: Int
  let ending: Ending
  let start: Start
  let largestChunk: Int
  /// How long it reads nothing at the beginning.
  let firstPause: Duration
  /// Whether, now and then, it stops reading or sending for some milliseconds.
  let pauses: Bool
  let sendBuffer: CInt?
  let receiveBuffer: CInt?
  /// A client's largest segment: with small ones little is under way, and whoever relays has to wait.
  let segment: Int?

  static let headerLength = 8

  /// A random plan. `isServer`: it may wait for the client's end, and resets only what has been answered.
  init(number: Int, isServer: Bool, random: inout SeededRandom) {
    self.number = number
    let size = Int.random(in: 0..<100, using: &random)
    let largest = size < 70 ? 2_000 : size < 88 ? 120_000 : size < 96 ? 1 << 20 : 4 << 20
    total = size < 20 ? 0 : Int.random(in: Self.headerLength...largest, using: &random)
    ending = random.chance(10) && total > 0 ? .reset : .fin
    // A client without a header cannot tell that it waits.
    let starts: [Start] = isServer ? [.atOnce, .afterFirstBytes, .afterPeerEnd] : [.atOnce, .atOnce, .afterPeerEnd]
    start = !isServer && total == 0 ? .atOnce : random.pick(starts)
    // Some fifty chunks at the most.
    largestChunk = max(total / 25, random.pick([1, 100, 20_000, 300_000]))
    firstPause = .milliseconds(random.chance(25) ? Int.random(in: 1...800, using: &random) : 0)
    pauses = random.chance(40)
    sendBuffer = random.chance(30) ? CInt.random(in: 4_096...40_000, using: &random) : nil
    // Not less: windows of a few KiB move some KiB a second, whoever relays.
    receiveBuffer = random.chance(40) ? CInt.random(in: 12_000...60_000, using: &random) : nil
    segment = random.chance(70) ? 1460 : nil
  }

  /// A plan by hand: bytes, and a FIN behind them.
  init(
    number: Int, total: Int, start: Start = .atOnce, largestChunk: Int = 1 << 20, firstPause: Duration = .zero,
    receiveBuffer: CInt? = nil
  ) {
    self.number = number
    self.total = total
    ending = .fin
    self.start = start
    self.largestChunk = largestChunk
    self.firstPause = firstPause
    pauses = false
    sendBuffer = nil
    self.receiveBuffer = receiveBuffer
    segment = 1460
  }
}

/// One end of a connection that follows its plan, and checks every byte and the end that come from the other.
///
/// For the one thread of its ``Traffic``.
final class TrafficEnd {
  /// How it came to its end.
  enum Outcome: Equatable {
    /// All was sent, and the peer's FIN came behind its last byte.
    case finished
    /// It broke the connection, as planned.
    case didReset
    case wasReset
  }

  let plan: TrafficPlan
  let stream: TCPStream
  private let planOf: (Int) -> TrafficPlan?
  private let seed: UInt64
  private var random: SeededRandom
  private var bytes: ByteStream
  private var chunk: ArraySlice<UInt8> = []
  private var header: [UInt8] = []
  private var expected: ByteStream?
  private(set) var peer: TrafficPlan?
  private(set) var sent = 0
  private(set) var received = 0
  private var hasSentEnd = false
  private(set) var hasPeerEnded = false
  private var readsFrom: ContinuousClock.Instant
  private var writesFrom: ContinuousClock.Instant
  private(set) var outcome: Outcome?

  init(_ plan: TrafficPlan, on stream: TCPStream, seed: UInt64, planOf: @escaping (Int) -> TrafficPlan?) {
    self.plan = plan
    self.stream = stream
    self.planOf = planOf
    self.seed = seed
    random = SeededRandom(seed: seed &+ UInt64(plan.number) &* 31)
    bytes = ByteStream(seed: seed &+ UInt64(plan.number))
    let now = ContinuousClock.now
    readsFrom = now + plan.firstPause
    writesFrom = now
    if let size = plan.sendBuffer { _ = clinux_set_option(stream.descriptor, SOL_SOCKET, SO_SNDBUF, size) }
    if let size = plan.receiveBuffer { _ = clinux_set_option(stream.descriptor, SOL_SOCKET, SO_RCVBUF, size) }
    if plan.total > 0 { chunk = Self.header(plan)[...] }
  }

  // Its number, and whether it waits for the other's end: two that do would wait for ever.
  private static func header(_ plan: TrafficPlan) -> [UInt8] {
    let number = UInt32(plan.number)
    return (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
      + [plan.start == .afterPeerEnd ? 1 : 0, 0x52, 0x53, 0x54]
  }

  private var maySend: Bool {
    if hasSentEnd { return false }
    // A client's header goes at once: a server may wait for it.
    if plan.number < Traffic.firstServer, sent < min(plan.total, TrafficPlan.headerLength) { return true }
    return switch plan.start {
    case .atOnce: true
    case .afterFirstBytes: received > 0 || hasPeerEnded
    // A server does not wait for a client that waits for it.
    case .afterPeerEnd: hasPeerEnded || (plan.number >= Traffic.firstServer && peer?.start == .afterPeerEnd)
    }
  }

  /// What it waits for now (poll(2)), and the moment until when it pauses.
  func interest(at now: ContinuousClock.Instant) -> (events: CInt, until: ContinuousClock.Instant?) {
    var events: CInt = 0
    var until: ContinuousClock.Instant?
    if !hasPeerEnded { if readsFrom <= now { events |= POLLIN } else { until = readsFrom } }
    if maySend {
      if writesFrom <= now { events |= POLLOUT } else { until = min(until ?? writesFrom, writesFrom) }
    }
    return (events, until)
  }

  func ready(_ events: CInt, at now: ContinuousClock.Instant) throws {
    if events & (POLLIN | POLLHUP | POLLERR) != 0, readsFrom <= now, !hasPeerEnded { try read(now) }
    if outcome == nil, events & (POLLOUT | POLLHUP | POLLERR) != 0, writesFrom <= now, maySend { try write(now) }
    if outcome == nil, hasSentEnd, hasPeerEnded { finish(.finished) }
  }

  private func read(_ now: ContinuousClock.Instant) throws {
    let limit = random.pick([1, 1_000, 30_000, 300_000])
    let got: TCPStream.Received
    do { got = try stream.receive(upTo: max(limit, plan.pauses ? 1 : 65_536), within: .zero) } catch { return }
    switch got {
    case .bytes(let bytes): try check(bytes)
    case .end(.reset): try broken()
    case .end(.eof):
      hasPeerEnded = true
      if received == 0 { return }
      guard let peer, peer.ending == .fin, received == peer.total else {
        throw failure(
          "the other's end came after \(received) bytes of \(peer?.total ?? 0), which ends by a FIN: \(peer?.ending == .fin)"
        )
      }
    }
    if plan.pauses, random.chance(20) { readsFrom = now + .milliseconds(Int.random(in: 1...60, using: &random)) }
  }

  private func check(_ bytes: [UInt8]) throws {
    received += bytes.count
    var rest = bytes[...]
    if header.count < TrafficPlan.headerLength {
      let part = rest.prefix(TrafficPlan.headerLength - header.count)
      header += part
      rest = rest.dropFirst(part.count)
      guard header.count == TrafficPlan.headerLength else { return }
      let number = (0..<4).reduce(0) { $0 | Int(header[$1]) << (8 * $1) }
      guard header[5...] == [0x52, 0x53, 0x54], let plan = planOf(number) else { throw failure("no header: \(header)") }
      peer = plan
      expected = ByteStream(seed: seed &+ UInt64(number))
    }
    if let peer, received > peer.total { throw failure("\(received) bytes came, \(peer.total) were sent") }
    if !rest.isEmpty { try expected?.match(Array(rest)) }
  }

  private func write(_ now: ContinuousClock.Instant) throws {
    if chunk.isEmpty, sent < plan.total {
      let length = min(plan.total - sent, Int.random(in: 1...plan.largestChunk, using: &random))
      chunk = bytes.next(length)[...]
    }
    if !chunk.isEmpty {
      let count: Int
      do { count = try stream.sendAsMuch(Array(chunk), until: .after(.zero)) } catch is Broken { return try broken() }
      sent += count
      chunk = chunk.dropFirst(count)
    }
    if plan.pauses, random.chance(10) { writesFrom = now + .milliseconds(Int.random(in: 1...40, using: &random)) }
    guard chunk.isEmpty, sent == plan.total, maySend else { return }
    switch plan.ending {
    case .fin:
      do { try stream.shutdownWrite() } catch { return try broken() }
      hasSentEnd = true
    case .reset:
      stream.reset()
      finish(.didReset)
    }
  }

  private func broken() throws {
    if let peer, peer.ending != .reset { throw failure("reset after \(received) bytes, but the other ends by a FIN") }
    finish(.wasReset)
  }

  private func finish(_ how: Outcome) {
    outcome = how
    stream.close()
  }

  private func failure(_ what: String) -> TestFailure { TestFailure("\(description): \(what)") }

  var description: String {
    let name =
      plan.number >= Traffic.firstServer ? "server \(plan.number - Traffic.firstServer)" : "client \(plan.number)"
    return "\(name) (of \(peer?.number ?? -1)): sent \(sent) of \(plan.total)\(hasSentEnd ? " and its end" : "")"
      + ", received \(received) of \(peer?.total ?? 0)\(hasPeerEnded ? " and its end" : ""), starts \(plan.start)"
      + ", buffers \(plan.sendBuffer ?? 0) and \(plan.receiveBuffer ?? 0)"
  }
}

/// Many connections at once through an address, both ends of each driven by the calling thread.
final class Traffic {
  /// The numbers of servers start here.
  static let firstServer = 1 << 20
  private let seed: UInt64
  private let listeners: [TCPListener]
  private let serverPlan: (Int) -> TrafficPlan
  private(set) var clients: [TrafficEnd] = []
  private(set) var servers: [TrafficEnd] = []
  private var plans: [Int: TrafficPlan] = [:]

  /// `serverPlan` makes the plan of the server with the number it gets.
  init(seed: UInt64, listeners: [TCPListener], serverPlan: @escaping (Int) -> TrafficPlan) {
    self.seed = seed
    self.listeners = listeners
    self.serverPlan = serverPlan
  }

  func start(_ plan: TrafficPlan, to address: SocketAddress) throws {
    plans[plan.number] = plan
    clients.append(
      end(
        plan, on: try TCPStream(to: address, receiveBuffer: plan.receiveBuffer.map { Int($0) }, segment: plan.segment)))
  }

  private func end(_ plan: TrafficPlan, on stream: TCPStream) -> TrafficEnd {
    TrafficEnd(plan, on: stream, seed: seed) { [unowned self] in plans[$0] }
  }

  private func accept() throws {
    for listener in listeners {
      while let stream = try listener.accept(until: .after(.zero)) {
        let plan = serverPlan(Self.firstServer + servers.count)
        plans[plan.number] = plan
        servers.append(end(plan, on: stream))
      }
    }
  }

  /// Drives both ends of everything to their outcomes; throws when a byte or an end is wrong, or time runs out.
  ///
  /// `isOver` is asked as well, once no end is open: connections may still come.
  func run(within span: Duration, isOver: @escaping () -> Bool = { true }) async throws {
    // On a thread of its own: other tests need those that tasks run on.
    nonisolated(unsafe) let drive = { try self.drive(within: span, isOver: isOver) }
    let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
      do {
        try TestThread { continuation.resume(returning: Result { try unsafe drive() }) }.detach()
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
    try result.get()
  }

  private func drive(within span: Duration, isOver: () -> Bool) throws {
    let deadline = Deadline.after(span)
    while true {
      try accept()
      let now = ContinuousClock.now
      var entries = listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      let open = (clients + servers).filter { $0.outcome == nil }
      if open.isEmpty, isOver() { return }
      if deadline.hasPassed {
        throw TestFailure("open after \(span):\n" + open.map(\.description).joined(separator: "\n"))
      }
      var wakes = now + .milliseconds(20)
      for end in open {
        let (events, until) = end.interest(at: now)
        // A paused end is left out: its hang-up would be told of without end.
        entries.append(pollfd(fd: events == 0 ? -1 : end.stream.descriptor, events: Int16(events), revents: 0))
        if let until { wakes = min(wakes, until) }
      }
      let wait = max(0, (wakes - now) / .milliseconds(1))
      _ = unsafe poll(&entries, nfds_t(entries.count), CInt(wait.rounded(.up)))
      let after = ContinuousClock.now
      for (entry, end) in zip(entries.dropFirst(listeners.count), open) where entry.revents != 0 {
        try end.ready(CInt(entry.revents), at: after)
      }
    }
  }
}
