import Addresses
import Balancing

/// Which flow a datagram belongs to, which endpoint the flow has, and when it ends. Pure: events and time come in,
/// decisions go out; sockets are the caller's. For one thread.
///
/// A flow is a client's address and port at one listener, and the address it asked where that is a wildcard's. It chooses its endpoint once and keeps it until the
/// endpoint goes, refuses, or the flow ends.
///
/// | a flow is | until | ends after | is evicted |
/// |---|---|---|---|
/// | young | its client sends again after the first reply | 5 s without a datagram | first, when all places are taken |
/// | proven | it ends | its Service's idle timeout | when proven flows fill their 15/16 of the places and one more is proven |
///
/// So a flood of forged sources, which prove nothing, only ever evicts young flows.
final class FlowTable {
  typealias FlowID = Int

  /// What to do with a datagram of a client.
  enum Action: Equatable {
    /// Send it on the flow's socket.
    case forward(FlowID)
    /// The same, once the socket counts for the new state of its endpoint, as after a change of its weight.
    case adopt(FlowID)
    /// Open a socket to the flow's endpoint first.
    case open(FlowID)
    /// The flow has another endpoint: connect its socket anew.
    case move(FlowID)
    case drop(DatagramDrop)
  }

  struct Decision: Equatable {
    var action: Action
    /// A flow that had to make room; already gone from the table. Its socket is to be closed first.
    var evicted: FlowID?
    var reason: FlowEnd?
  }

  /// The state that an endpoint has by now: another one after a change of its weight; nil when it is gone.
  typealias Current = (_ endpoint: EndpointState) -> EndpointState?

  /// Chooses an endpoint, not one that refused just now; raises its count.
  typealias Choose = (_ source: IPAddress, _ refused: EndpointState?) -> EndpointState?

  static let youngSeconds = 5.0

  // Without a reference, so that looking at one counts none; the endpoints are beside them.
  private struct Flow {
    var key: FlowKey
    var isLive = true
    var lastDatagram: Double
    var idleSeconds: Double
    var generation: Int
    var list: Int
    var previous = -1
    var next = -1
    var hasReplied = false
    var isRefused = false
  }

  private struct List {
    var head = -1
    var tail = -1
    var seconds: Double
  }

  /// Flows at one time.
  let limit: Int
  private let provenLimit: Int
  private let flows = FlatArray<Flow>()
  private var endpoints: [EndpointState?] = []
  private let free = FlatArray<FlowID>()
  private let index = FlowIndex()
  // Each in order of the last datagram. The first is of young flows, the others of proven ones by idle timeout.
  private let lists = FlatArray(repeating: List(seconds: FlowTable.youngSeconds), count: 1)
  private var listOfTimeout: [Double: Int] = [:]
  private(set) var provenCount = 0
  /// Whether a flow may be over sooner than ``nextExpiry`` last said. Whoever asks that resets this.
  var mayExpireSooner = false

  init(limit: Int) {
    self.limit = max(limit, 2)
    provenLimit = self.limit - max(1, self.limit / 16)
  }

  var count: Int { index.count }

  // MARK: - Events

  /// A datagram of a flow that goes on as it was, as nearly all do: the flow. -1 where ``datagram`` has to decide.
  func steady(_ key: FlowKey, generation: Int, now: Double) -> FlowID {
    let id = find(key)
    guard id >= 0 else { return -1 }
    let flow = flows[id]
    if flow.generation != generation || flow.isRefused || flow.list == 0 && flow.hasReplied { return -1 }
    touch(id, now)
    return id
  }

  /// A client's datagram.
  ///
  /// - Parameters:
  ///   - generation: changes when what the listener serves does; only then is `current` asked of a known flow's.
  ///   - idleSeconds: how long the flow lives without a datagram, once it is proven.
  func datagram(
    _ key: FlowKey, generation: Int, idleSeconds: Double, now: Double, current: Current, choose: Choose
  ) -> Decision {
    let steady = steady(key, generation: generation, now: now)
    if steady >= 0 { return Decision(action: .forward(steady)) }
    let id = find(key)
    guard id >= 0 else {
      return open(key, generation: generation, idleSeconds: idleSeconds, now: now, choose: choose)
    }
    var decision = Decision(action: .forward(id))
    if flows[id].generation != generation { setIdleSeconds(id, idleSeconds) }
    if flows[id].list == 0, flows[id].hasReplied {
      if let victim = prove(id) {
        decision.evicted = victim
        decision.reason = .evictedIdle
      }
    }
    touch(id, now)
    if flows[id].generation != generation || flows[id].isRefused {
      decision.action = reconsider(id, generation: generation, current: current, choose: choose)
    }
    return decision
  }

  /// The endpoint answered.
  func reply(_ id: FlowID, now: Double) {
    guard isLive(id) else { return }
    flows[id].hasReplied = true
    touch(id, now)
  }

  /// The endpoint refused (ICMP port unreachable): the next datagram goes elsewhere.
  func refused(_ id: FlowID) {
    if isLive(id) { flows[id].isRefused = true }
  }

  /// A datagram's send was refused: chooses another endpoint for it now. `.forward` when there is no other.
  func moveRefused(_ id: FlowID, generation: Int, choose: Choose) -> Action {
    flows[id].isRefused = true
    return reconsider(id, generation: generation, current: { $0 }, choose: choose)
  }

  /// The next flow whose time is over, already gone from the table; nil when there is none.
  func expire(now: Double) -> (id: FlowID, endpoint: EndpointState?, reason: FlowEnd)? {
    for index in lists.indices {
      let id = lists[index].head
      guard id >= 0, now - flows[id].lastDatagram >= lists[index].seconds else { continue }
      return (id, remove(id), index == 0 ? .young : .idle)
    }
    return nil
  }

  /// When the next flow may be over; nil without flows.
  var nextExpiry: Double? {
    var next: Double?
    for index in lists.indices where lists[index].head >= 0 {
      let end = flows[lists[index].head].lastDatagram + lists[index].seconds
      if next.map({ end < $0 }) ?? true { next = end }
    }
    return next
  }

  /// Takes a flow out, and lowers its endpoint's count. Returns the endpoint.
  @discardableResult func remove(_ id: FlowID) -> EndpointState? {
    guard isLive(id) else { return nil }
    unlink(id)
    if flows[id].list > 0 { provenCount -= 1 }
    index.remove(flows[id].key, id)
    flows[id].isLive = false
    free.append(id)
    let endpoint = endpoints[id]
    endpoints[id] = nil
    endpoint?.active.wrappingSubtract(1, ordering: .relaxed)
    return endpoint
  }

  private func isLive(_ id: FlowID) -> Bool { flows.indices.contains(id) && flows[id].isLive }

  /// The flow of the key; -1 for none.
  private func find(_ key: FlowKey) -> FlowID { index.find(key) { flows[$0].key == key } }

  /// The flows of one listener, in no order.
  func flows(at listener: Int) -> [FlowID] {
    flows.indices.filter { flows[$0].isLive && flows[$0].key.listener == listener }
  }

  func endpoint(of id: FlowID) -> EndpointState? { isLive(id) ? endpoints[id] : nil }

  // MARK: - Steps

  private func open(
    _ key: FlowKey, generation: Int, idleSeconds: Double, now: Double, choose: Choose
  ) -> Decision {
    guard let endpoint = choose(key.clientAddress, nil) else { return Decision(action: .drop(.noEndpoint)) }
    var decision = Decision(action: .drop(.noEndpoint))
    // Proven flows never take the last sixteenth, so there is a young one to make room.
    if count >= limit, lists[0].head >= 0 {
      decision.evicted = lists[0].head
      decision.reason = .evictedYoung
      remove(lists[0].head)
    }
    let id = free.popLast() ?? flows.count
    let flow = Flow(
      key: key, lastDatagram: now, idleSeconds: idleSeconds, generation: generation, list: 0)
    if id == flows.count {
      flows.append(flow)
      endpoints.append(endpoint)
    } else {
      flows[id] = flow
      endpoints[id] = endpoint
    }
    index.insert(key, id)
    link(id)
    mayExpireSooner = true
    decision.action = .open(id)
    return decision
  }

  private func reconsider(
    _ id: FlowID, generation: Int, current: Current, choose: Choose
  ) -> Action {
    let isRefused = flows[id].isRefused
    let former = endpoints[id]
    flows[id].generation = generation
    flows[id].isRefused = false
    let present = former.flatMap(current)
    if !isRefused, let present { return stay(id, at: present) }
    guard let other = choose(flows[id].key.clientAddress, isRefused ? former : nil) else {
      // One that refused may be back; one that is gone is not.
      if let present { return stay(id, at: present) }
      // Asked again at the next datagram, when there may be one.
      flows[id].generation = generation &- 1
      return .drop(.noEndpoint)
    }
    former?.active.wrappingSubtract(1, ordering: .relaxed)
    endpoints[id] = other
    return .move(id)
  }

  private func stay(_ id: FlowID, at endpoint: EndpointState) -> Action {
    guard let former = endpoints[id], former !== endpoint else { return .forward(id) }
    former.active.wrappingSubtract(1, ordering: .relaxed)
    endpoint.active.wrappingAdd(1, ordering: .relaxed)
    endpoints[id] = endpoint
    return .adopt(id)
  }

  /// Takes a changed timeout over.
  private func setIdleSeconds(_ id: FlowID, _ seconds: Double) {
    guard flows[id].idleSeconds != seconds else { return }
    flows[id].idleSeconds = seconds
    guard flows[id].list > 0 else { return }
    unlink(id)
    flows[id].list = list(for: seconds)
    // In its place at the end: a datagram has just come.
    link(id)
    mayExpireSooner = true
  }

  /// The client has sent again after a reply: it is no forged source. Returns a flow that had to make room.
  private func prove(_ id: FlowID) -> FlowID? {
    var victim: FlowID?
    if provenCount >= provenLimit, let oldest = longestIdle {
      victim = oldest
      remove(oldest)
    }
    unlink(id)
    flows[id].list = list(for: flows[id].idleSeconds)
    provenCount += 1
    link(id)
    mayExpireSooner = true
    return victim
  }

  private var longestIdle: FlowID? {
    lists.indices.dropFirst().compactMap { lists[$0].head < 0 ? nil : lists[$0].head }
      .min { flows[$0].lastDatagram < flows[$1].lastDatagram }
  }

  private func list(for seconds: Double) -> Int {
    if let index = listOfTimeout[seconds] { return index }
    // One that a former timeout has left empty serves again, so that edits do not make ever more of them.
    guard let index = lists.indices.dropFirst().first(where: { lists[$0].head < 0 }) else {
      lists.append(List(seconds: seconds))
      listOfTimeout[seconds] = lists.count - 1
      return lists.count - 1
    }
    listOfTimeout[lists[index].seconds] = nil
    lists[index].seconds = seconds
    listOfTimeout[seconds] = index
    return index
  }

  // MARK: - Order of the last datagram

  private func touch(_ id: FlowID, _ now: Double) {
    flows[id].lastDatagram = now
    if lists[flows[id].list].tail == id { return }
    unlink(id)
    link(id)
  }

  private func link(_ id: FlowID) {
    let list = flows[id].list
    let tail = lists[list].tail
    flows[id].previous = tail
    flows[id].next = -1
    if tail >= 0 { flows[tail].next = id } else { lists[list].head = id }
    lists[list].tail = id
  }

  private func unlink(_ id: FlowID) {
    let (list, previous, next) = (flows[id].list, flows[id].previous, flows[id].next)
    if previous >= 0 { flows[previous].next = next } else { lists[list].head = next }
    if next >= 0 { flows[next].previous = previous } else { lists[list].tail = previous }
  }
}

extension FlowTable {
  /// What must hold after every event; the first thing that does not, for simulations.
  func brokenInvariant() -> String? {
    if count > limit { return "\(count) flows over the limit \(limit)" }
    if provenCount > provenLimit { return "\(provenCount) proven flows over \(provenLimit)" }
    var seen = 0
    var proven = 0
    for index in lists.indices {
      let list = lists[index]
      var id = list.head
      var before = -1
      while id >= 0 {
        guard isLive(id) else { return "list \(index) holds flow \(id), which is gone" }
        let flow = flows[id]
        if flow.list != index { return "flow \(id) is in list \(index) and thinks \(flow.list)" }
        if flow.previous != before { return "flow \(id) does not know its predecessor" }
        if before >= 0, flows[before].lastDatagram > flow.lastDatagram { return "list \(index) is out of order" }
        if find(flow.key) != id { return "flow \(id) is not found by its key" }
        if endpoints[id] == nil { return "flow \(id) has no endpoint" }
        if index > 0, flow.idleSeconds != list.seconds { return "flow \(id) is in the list of another timeout" }
        seen += 1
        if index > 0 { proven += 1 }
        before = id
        id = flow.next
      }
      if list.tail != before { return "list \(index) ends elsewhere" }
    }
    if seen != count { return "\(seen) flows in lists, \(count) by key" }
    if proven != provenCount { return "\(proven) proven flows, \(provenCount) counted" }
    return nil
  }
}
