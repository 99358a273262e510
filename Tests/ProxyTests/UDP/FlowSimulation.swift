import Addresses
import Balancing
import TestKit

@testable import Proxy

/// A flow table in a random world, beside a plain model of what it must do. Seeded: the same seed, the same world.
struct FlowSimulation {
  /// What the model knows of a flow.
  private struct Known {
    let key: Key
    let listener: Int
    var endpoint: EndpointState
    var last: Double
    var order: Int
    var idle: Double
    var generation: Int
    var hasReplied = false
    var isProven = false
    var isRefused = false

    var end: Double { last + (isProven ? idle : FlowTable.youngSeconds) }
  }

  private struct Key: Hashable {
    let client: SocketAddress
    let listener: Int
  }

  private struct Listener {
    let number: Int
    var endpoints: [EndpointState]
    var generation = 0
    var idle: Double
  }

  private var random: SeededRandom
  private var table: FlowTable
  private let limit: Int
  private var flows: [FlowTable.FlowID: Known] = [:]
  private var ids: [Key: FlowTable.FlowID] = [:]
  private var listeners: [Listener] = []
  private var everyEndpoint: [EndpointState] = []
  private var now = 0.0
  private var order = 0
  private var listenerNumber = 0
  private var forged = 0
  private(set) var wrong: [String] = []

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    limit = [2, 3, 17, 40, 100].randomElement(using: &random)!
    table = FlowTable(limit: limit)
    for _ in 0..<Int.random(in: 1...3, using: &random) { addListener() }
  }

  private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

  private mutating func addListener() {
    listenerNumber += 1
    var listener = Listener(number: listenerNumber, endpoints: [], idle: idleTimeout())
    for place in 0..<Int.random(in: 0...4, using: &random) { listener.endpoints.append(endpoint(place)) }
    listeners.append(listener)
  }

  private mutating func idleTimeout() -> Double { [2, 10, 60, 60].randomElement(using: &random)! }

  private mutating func endpoint(_ place: Int) -> EndpointState {
    let address = SocketAddress(IPAddress(v4: 0x7F01_0001 + UInt32(place)), port: 53)
    let state = EndpointState(Endpoint(address, weight: .random(in: 1...9, using: &random)), shardCount: 1)
    everyEndpoint.append(state)
    return state
  }

  /// One event, then everything that must hold. Returns what happened.
  mutating func step() -> String {
    order += 1
    let text: String
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<55: text = datagram(from: client())
    case 55..<70: text = withFlow { $0.reply($1) }
    case 70..<75: text = withFlow { $0.refused($1) }
    case 75..<78: text = withFlow { $0.moveRefused($1) }
    case 78..<83: text = changeEndpoints()
    case 83..<85: text = replaceListener()
    case 85..<88: text = flood()
    default: text = letTimePass()
    }
    check()
    return text
  }

  private mutating func client() -> SocketAddress {
    SocketAddress(IPAddress(v4: 0x0A00_0001), port: .random(in: 1000..<1000 + UInt16(limit * 2), using: &random))
  }

  private mutating func withFlow(_ body: (inout Self, FlowTable.FlowID) -> String) -> String {
    guard let id = flows.keys.sorted().randomElement(using: &random) else { return "no flow" }
    return body(&self, id)
  }

  // MARK: - Events

  private mutating func datagram(from client: SocketAddress) -> String {
    guard let index = listeners.indices.randomElement(using: &random) else { return "no listener" }
    return datagram(from: client, at: index)
  }

  private mutating func datagram(from client: SocketAddress, at index: Int) -> String {
    let listener = listeners[index]
    let key = Key(client: client, listener: listener.number)
    let pick = Int.random(in: 0..<12, using: &random)
    let known = ids[key]
    let before = known.flatMap { flows[$0] }
    let decision = table.datagram(
      FlowKey(client: client, local: nil, listener: listener.number), generation: listener.generation,
      idleSeconds: listener.idle, now: now, current: { Self.current($0, listener) },
      choose: { Self.choose(listener, pick, $1) })
    let text = "datagram of \(client) at \(listener.number): \(decision)"
    if let victim = decision.evicted { evict(victim, decision.reason, isKnown: before != nil) }
    guard let known, let before else {
      opened(decision.action, key, listener)
      return text
    }
    var flow = before
    if flow.hasReplied { flow.isProven = true }
    flow.last = now
    flow.order = order
    let isLooked = flow.generation != listener.generation
    if isLooked { flow.idle = listener.idle }
    let present = isLooked || flow.isRefused ? Self.current(flow.endpoint, listener) : flow.endpoint
    let others = listener.endpoints.contains { $0.endpoint.address != flow.endpoint.endpoint.address }
    flow.generation = listener.generation
    switch decision.action {
    case .forward(known):
      if present !== flow.endpoint { wrong.append("a flow stays at an endpoint that is gone or renewed") }
      if flow.isRefused, others { wrong.append("a refused flow stays though there are others") }
    case .adopt(known):
      if present == nil || present === flow.endpoint { wrong.append("a flow adopts without cause") }
      if let present { flow.endpoint = present }
    case .move(known):
      if present != nil, !flow.isRefused { wrong.append("a flow moves without cause") }
      guard let endpoint = table.endpoint(of: known) else { break }
      if !listener.endpoints.contains(where: { $0 === endpoint }) { wrong.append("a flow moves to what is not served") }
      if flow.isRefused, endpoint.endpoint.address == flow.endpoint.endpoint.address {
        wrong.append("a flow moves to the endpoint that refused")
      }
      flow.endpoint = endpoint
    case .drop(.noEndpoint):
      if !listener.endpoints.isEmpty { wrong.append("a datagram is dropped though there are endpoints") }
      flow.generation = listener.generation - 1
    default: wrong.append("another flow's action")
    }
    flow.isRefused = false
    flows[known] = flow
    return text
  }

  private mutating func opened(_ action: FlowTable.Action, _ key: Key, _ listener: Listener) {
    switch action {
    case .open(let id):
      if flows[id] != nil { wrong.append("flow \(id) is given twice") }
      guard let endpoint = table.endpoint(of: id) else { return wrong.append("a new flow has no endpoint") }
      if !listener.endpoints.contains(where: { $0 === endpoint }) { wrong.append("a flow opens to what is not served") }
      ids[key] = id
      flows[id] = Known(
        key: key, listener: listener.number, endpoint: endpoint, last: now, order: order, idle: listener.idle,
        generation: listener.generation)
    case .drop(.noEndpoint):
      if !listener.endpoints.isEmpty { wrong.append("a first datagram is dropped though there are endpoints") }
    default: wrong.append("a first datagram does not open a flow")
    }
  }

  private mutating func evict(_ id: FlowTable.FlowID, _ reason: FlowEnd?, isKnown: Bool) {
    guard let victim = flows[id] else { return wrong.append("a flow is evicted that is not there") }
    let rivals = flows.values.filter { $0.isProven == victim.isProven }
    if rivals.contains(where: { $0.last < victim.last }) { wrong.append("a younger flow is evicted") }
    switch reason {
    case .evictedYoung:
      if victim.isProven { wrong.append("a proven flow makes room for a new one") }
      if flows.count < limit { wrong.append("a flow is evicted though there is room") }
      if isKnown { wrong.append("a known client's datagram evicts a young flow") }
    case .evictedIdle:
      if !victim.isProven { wrong.append("a young flow makes room among the proven") }
      if rivals.count < limit - max(1, limit / 16) { wrong.append("a proven flow is evicted though there is room") }
      if !isKnown { wrong.append("a new source evicts a proven flow") }
    default: wrong.append("an eviction without its reason")
    }
    forget(id)
  }

  private mutating func forget(_ id: FlowTable.FlowID) {
    if let flow = flows.removeValue(forKey: id) { ids[flow.key] = nil }
  }

  private mutating func reply(_ id: FlowTable.FlowID) -> String {
    table.reply(id, now: now)
    flows[id]!.hasReplied = true
    flows[id]!.last = now
    flows[id]!.order = order
    return "reply to \(id)"
  }

  private mutating func refused(_ id: FlowTable.FlowID) -> String {
    table.refused(id)
    flows[id]!.isRefused = true
    return "refusal of \(id)"
  }

  /// As the forwarder does: right after a datagram of the flow was decided.
  private mutating func moveRefused(_ id: FlowTable.FlowID) -> String {
    guard let index = listeners.firstIndex(where: { $0.number == flows[id]!.listener }) else { return "no listener" }
    _ = datagram(from: flows[id]!.key.client, at: index)
    let listener = listeners[index]
    guard flows[id] != nil, !listener.endpoints.isEmpty else { return "no endpoint for \(id)" }
    let pick = Int.random(in: 0..<12, using: &random)
    let former = flows[id]!.endpoint
    let action = table.moveRefused(id, generation: listener.generation) { Self.choose(listener, pick, $1) }
    let others = listener.endpoints.contains { $0.endpoint.address != former.endpoint.address }
    if action != (others ? .move(id) : .forward(id)) { wrong.append("a refused send comes to \(action)") }
    if others, let endpoint = table.endpoint(of: id) {
      if endpoint === former { wrong.append("a refused send moves nowhere") }
      flows[id]!.endpoint = endpoint
    }
    flows[id]!.isRefused = false
    return "refused send of \(id): \(action)"
  }

  private mutating func changeEndpoints() -> String {
    guard let index = listeners.indices.randomElement(using: &random) else { return "no listener" }
    listeners[index].generation += 1
    var endpoints = listeners[index].endpoints
    switch Int.random(in: 0..<5, using: &random) {
    case 0: endpoints = []
    case 1: if !endpoints.isEmpty { endpoints.remove(at: .random(in: 0..<endpoints.count, using: &random)) }
    case 2: listeners[index].idle = idleTimeout()
    case 3:
      // Another weight: another state at the same address.
      if let place = endpoints.indices.randomElement(using: &random) {
        endpoints[place] = endpoint(Int(endpoints[place].endpoint.address.address.bits & 0xFF) - 1)
      }
    default:
      let place = Int.random(in: 0..<8, using: &random)
      let state = endpoint(place)
      if !endpoints.contains(where: { $0.endpoint.address == state.endpoint.address }) { endpoints.append(state) }
    }
    listeners[index].endpoints = endpoints
    return "listener \(listeners[index].number) has \(endpoints.count) endpoints"
  }

  private mutating func replaceListener() -> String {
    guard let index = listeners.indices.randomElement(using: &random) else { return "no listener" }
    let number = listeners.remove(at: index).number
    let gone = table.flows(at: number)
    if Set(gone) != Set(flows.filter { $0.value.listener == number }.keys) { wrong.append("a listener's flows differ") }
    for id in gone {
      table.remove(id)
      forget(id)
    }
    addListener()
    return "listener \(number) goes"
  }

  private mutating func flood() -> String {
    let proven = flows.filter(\.value.isProven).keys
    for _ in 0..<limit * 2 {
      forged += 1
      let source = SocketAddress(IPAddress(v4: 0xC000_0200 + UInt32(forged >> 15)), port: UInt16(forged & 0x7FFF) + 1)
      _ = datagram(from: source)
    }
    if !proven.allSatisfy({ flows[$0]?.isProven == true }) { wrong.append("a flood ended a proven flow") }
    return "flood"
  }

  private mutating func letTimePass() -> String {
    // Exact in binary, so that the model may add where the table subtracts.
    now += [0.0078125, 0.25, 1, 5, 30].randomElement(using: &random)!
    var ended = 0
    while let over = table.expire(now: now) {
      ended += 1
      guard let flow = flows[over.id] else {
        wrong.append("a flow ends that is not there")
        continue
      }
      if flow.end > now { wrong.append("a flow ends \(flow.end - now) s before its time") }
      if over.reason != (flow.isProven ? .idle : .young) { wrong.append("a flow ends for \(over.reason)") }
      forget(over.id)
    }
    if flows.values.contains(where: { $0.end <= now }) { wrong.append("a flow outlives its time") }
    return "\(ended) ended at \(now)"
  }

  // MARK: - What must hold

  private mutating func check() {
    if let broken = table.brokenInvariant() { wrong.append(broken) }
    if table.count != flows.count { wrong.append("\(table.count) flows, the model has \(flows.count)") }
    let proven = flows.values.count { $0.isProven }
    if table.provenCount != proven { wrong.append("\(table.provenCount) proven, the model has \(proven)") }
    if let next = table.nextExpiry, let end = flows.values.map(\.end).min(), next != end {
      wrong.append("the next end is at \(next), the model's at \(end)")
    }
    if (table.nextExpiry == nil) != flows.isEmpty { wrong.append("an end without flows, or flows without one") }
    var counts: [ObjectIdentifier: Int] = [:]
    for flow in flows.values { counts[ObjectIdentifier(flow.endpoint), default: 0] += 1 }
    for state in everyEndpoint {
      let active = state.active.load(ordering: .relaxed)
      let count = counts[ObjectIdentifier(state)] ?? 0
      if active != count { wrong.append("\(state.endpoint.address) counts \(active), \(count) flows have it") }
    }
    everyEndpoint.removeAll { state in
      counts[ObjectIdentifier(state)] == nil && !listeners.contains { $0.endpoints.contains { $0 === state } }
    }
  }

  private static func current(_ endpoint: EndpointState, _ listener: Listener) -> EndpointState? {
    listener.endpoints.first { $0.endpoint.address == endpoint.endpoint.address }
  }

  private static func choose(_ listener: Listener, _ pick: Int, _ refused: EndpointState?) -> EndpointState? {
    let left = listener.endpoints.filter { $0.endpoint.address != refused?.endpoint.address }
    guard !left.isEmpty else { return nil }
    let chosen = left[pick % left.count]
    chosen.active.wrappingAdd(1, ordering: .relaxed)
    return chosen
  }
}
