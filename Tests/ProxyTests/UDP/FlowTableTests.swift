import Addresses
import Balancing
import Testing

@testable import Proxy

/// The flow table by facts: what each event comes to, without a socket.
@Suite struct FlowTableTests {
  @Test func `a client keeps its endpoint, another client gets the next`() {
    var world = FlowFacts(limit: 100, endpoints: 2)
    #expect(world.datagram(1) == .open(0))
    #expect(world.datagram(2) == .open(1))
    for _ in 0..<5 {
      #expect(world.datagram(1) == .forward(0))
      #expect(world.datagram(2) == .forward(1))
    }
    #expect(world.endpoint(of: 0) == 0 && world.endpoint(of: 1) == 1)
    #expect(world.active == [1, 1])
  }

  @Test func `one client at two listeners, or at two addresses of a wildcard, has two flows`() {
    var world = FlowFacts(limit: 100, endpoints: 1)
    #expect(world.datagram(1, at: 0) == .open(0))
    #expect(world.datagram(1, at: 1) == .open(1))
    #expect(world.datagram(1, to: IPAddress(v4: 0x7F00_0002), at: 0) == .open(2))
    #expect(world.datagram(1, at: 0) == .forward(0))
    #expect(Set(world.table.flows(at: 0)) == [0, 2])
  }

  @Test func `without an endpoint a datagram is dropped and leaves no flow`() {
    var world = FlowFacts(limit: 100, endpoints: 0)
    #expect(world.datagram(1) == .drop(.noEndpoint))
    #expect(world.table.count == 0 && world.table.nextExpiry == nil)
  }

  @Test func `a young flow ends 5 s after its last datagram, replies count`() {
    var world = FlowFacts(limit: 100, endpoints: 1)
    _ = world.datagram(1)
    _ = world.datagram(2)
    world.now = 4
    world.table.reply(1, now: world.now)
    #expect(world.table.nextExpiry == 5)
    #expect(world.expired() == [])
    world.now = 5
    #expect(world.expired() == [.init(id: 0, reason: .young)])
    world.now = 8.9
    #expect(world.expired() == [])
    world.now = 9
    #expect(world.expired() == [.init(id: 1, reason: .young)])
    #expect(world.active == [0] && world.table.nextExpiry == nil)
  }

  @Test func `a proven flow ends at its Service's idle timeout`() {
    var world = FlowFacts(limit: 100, endpoints: 1)
    world.prove(1, idle: 60)
    world.prove(2, idle: 10)
    #expect(world.table.provenCount == 2)
    world.now = 9.9
    #expect(world.expired() == [])
    world.now = 10
    #expect(world.expired() == [.init(id: 1, reason: .idle)])
    world.now = 59.9
    #expect(world.expired() == [])
    world.now = 60
    #expect(world.expired() == [.init(id: 0, reason: .idle)])
  }

  @Test func `sending without a reply proves nothing, nor does a reply alone`() {
    var world = FlowFacts(limit: 100, endpoints: 1)
    for _ in 0..<10 { _ = world.datagram(1) }
    _ = world.datagram(2)
    for _ in 0..<10 { world.table.reply(1, now: 0) }
    #expect(world.table.provenCount == 0)
    _ = world.datagram(2)
    #expect(world.table.provenCount == 1)
  }

  @Test func `an edit of the idle timeout is taken over at the next datagram`() {
    var world = FlowFacts(limit: 100, endpoints: 1)
    world.prove(1, idle: 60)
    world.generation += 1
    #expect(world.datagram(1, idle: 2) == .forward(0))
    #expect(world.table.nextExpiry == 2)
    for seconds in stride(from: 3.0, to: 40, by: 1) {
      world.generation += 1
      _ = world.datagram(1, idle: seconds)
      #expect(world.table.brokenInvariant() == nil)
    }
    #expect(world.table.nextExpiry == 39)
  }

  @Test func `a refusal moves the flow at its next datagram, never back to the one that refused`() {
    var world = FlowFacts(limit: 100, endpoints: 2)
    _ = world.datagram(1)
    world.table.refused(0)
    #expect(world.datagram(1) == .move(0))
    #expect(world.endpoint(of: 0) == 1)
    #expect(world.datagram(1) == .forward(0))
    #expect(world.active == [0, 1])
  }

  @Test func `a refusal without another endpoint leaves the flow: the endpoint may be back`() {
    var world = FlowFacts(limit: 100, endpoints: 1)
    _ = world.datagram(1)
    world.table.refused(0)
    #expect(world.datagram(1) == .forward(0))
    #expect(world.table.moveRefused(0, generation: 0, choose: world.choose) == .forward(0))
    #expect(world.active == [1])
  }

  @Test func `a flow whose endpoint is gone moves at its next datagram, the others stay`() {
    var world = FlowFacts(limit: 100, endpoints: 2)
    _ = world.datagram(1)
    _ = world.datagram(2)
    world.gone = [0]
    world.generation += 1
    #expect(world.datagram(1) == .move(0))
    #expect(world.datagram(2) == .forward(1))
    #expect(world.active == [0, 2])
  }

  @Test func `a flow without any endpoint waits for one, datagram by datagram`() {
    var world = FlowFacts(limit: 100, endpoints: 2)
    _ = world.datagram(1)
    world.gone = [0, 1]
    world.generation += 1
    #expect(world.datagram(1) == .drop(.noEndpoint))
    #expect(world.datagram(1) == .drop(.noEndpoint))
    world.gone = [0]
    world.generation += 1
    #expect(world.datagram(1) == .move(0))
    #expect(world.active == [0, 1])
  }

  @Test func `an endpoint with another weight is the same endpoint`() {
    var world = FlowFacts(limit: 100, endpoints: 2)
    _ = world.datagram(1)
    world.reweigh(0)
    world.generation += 1
    #expect(world.datagram(1) == .adopt(0))
    #expect(world.datagram(1) == .forward(0))
    #expect(world.active == [1, 0])
  }

  @Test func `when all places are taken the youngest flows' oldest makes room`() {
    var world = FlowFacts(limit: 32, endpoints: 1)
    for client in 0..<32 { _ = world.datagram(client) }
    let decision = world.decide(100)
    #expect(decision == .init(action: .open(0), evicted: 0, reason: .evictedYoung))
    // Touched: no longer the oldest.
    _ = world.datagram(1)
    #expect(world.decide(101).evicted == 2)
  }

  @Test func `proven flows leave a sixteenth of the places, and the longest idle of them makes room`() {
    var world = FlowFacts(limit: 32, endpoints: 1)
    for client in 0..<30 {
      world.now = Double(client) * 0.01
      world.prove(client, idle: client % 2 == 0 ? 60 : 30)
    }
    #expect(world.table.provenCount == 30)
    _ = world.datagram(100)
    world.table.reply(30, now: world.now)
    #expect(world.decide(100) == .init(action: .forward(30), evicted: 0, reason: .evictedIdle))
    #expect(world.table.provenCount == 30)
  }

  @Test(arguments: [2, 3, 16, 100, 1000]) func `forged sources never evict a proven flow`(limit: Int) {
    var world = FlowFacts(limit: limit, endpoints: 3)
    let proven = limit - max(1, limit / 16)
    for client in 0..<proven { world.prove(client, idle: 60) }
    for forged in 0..<limit * 20 {
      let decision = world.decide(1_000_000 + forged)
      #expect(decision.reason != .evictedIdle)
      if let id = decision.evicted { #expect(id >= proven) }
      // The endpoint answers them all.
      if case .open(let id) = decision.action { world.table.reply(id, now: 0) }
    }
    for client in 0..<proven { #expect(world.datagram(client) == .forward(client)) }
    #expect(world.table.provenCount == proven && world.table.brokenInvariant() == nil)
  }
}

/// One listener's endpoints in turn, and a table; clients are numbers.
struct FlowFacts {
  struct End: Equatable {
    let id: FlowTable.FlowID
    let reason: FlowEnd
  }

  var table: FlowTable
  private(set) var endpoints: [EndpointState]
  var gone: Set<Int> = []
  var generation = 0
  var now = 0.0
  private let turn = Turn()

  private final class Turn { var next = 0 }

  init(limit: Int, endpoints: Int) {
    table = FlowTable(limit: limit)
    self.endpoints = (0..<endpoints).map { Self.endpoint($0, weight: 1) }
  }

  private static func endpoint(_ index: Int, weight: Int) -> EndpointState {
    EndpointState(
      Endpoint(SocketAddress(IPAddress(v4: 0x7F01_0001 + UInt32(index)), port: 53), weight: weight), shardCount: 1)
  }

  mutating func reweigh(_ index: Int) { endpoints[index] = Self.endpoint(index, weight: 7) }

  func choose(_ source: IPAddress, _ refused: EndpointState?) -> EndpointState? {
    let left = endpoints.indices.filter { !gone.contains($0) && endpoints[$0] !== refused }
    guard !left.isEmpty else { return nil }
    defer { turn.next += 1 }
    let chosen = endpoints[left[turn.next % left.count]]
    chosen.active.wrappingAdd(1, ordering: .relaxed)
    return chosen
  }

  private func current(_ endpoint: EndpointState) -> EndpointState? {
    endpoints.indices.first { !gone.contains($0) && endpoints[$0].endpoint.address == endpoint.endpoint.address }
      .map { endpoints[$0] }
  }

  mutating func decide(
    _ client: Int, to local: IPAddress? = nil, at listener: Int = 0, idle: Double = 60
  ) -> FlowTable.Decision {
    let source = SocketAddress(IPAddress(v4: 0x0A00_0000 + UInt32(client >> 8)), port: UInt16(client & 255) + 1024)
    return table.datagram(
      FlowKey(client: source, local: local, listener: listener), generation: generation, idleSeconds: idle, now: now,
      current: current, choose: choose)
  }

  mutating func datagram(
    _ client: Int, to local: IPAddress? = nil, at listener: Int = 0, idle: Double = 60
  ) -> FlowTable.Action { decide(client, to: local, at: listener, idle: idle).action }

  /// Makes a flow that has proved real.
  mutating func prove(_ client: Int, idle: Double) {
    guard case .open(let id) = datagram(client, idle: idle) else { return }
    table.reply(id, now: now)
    _ = datagram(client, idle: idle)
  }

  mutating func expired() -> [End] {
    var ends: [End] = []
    while let over = table.expire(now: now) { ends.append(End(id: over.id, reason: over.reason)) }
    return ends
  }

  func endpoint(of id: FlowTable.FlowID) -> Int? {
    table.endpoint(of: id).flatMap { state in endpoints.firstIndex { $0 === state } }
  }

  var active: [Int] { endpoints.map { $0.active.load(ordering: .relaxed) } }
}
