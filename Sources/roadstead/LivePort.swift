import Admin
import Balancing
import Proxy

/// A port's running part, beside what was planned for it.
struct LivePort {
  let port: ServedPort
  let listening: [ListenAddress]
  let errors: [String]

  /// Adds counts, addresses and errors to the planned state.
  func fill(_ state: inout AdminState.Port) {
    state.listening = listening.map(\.address.description)
    state.errors += errors
    state.counters = counters
    let states = Dictionary(
      port.endpoints.map { ($0.endpoint.address.description, $0) }, uniquingKeysWith: { first, _ in first })
    for index in state.endpoints.indices {
      if let endpoint = states[state.endpoints[index].address] { state.endpoints[index].count(endpoint) }
    }
    let noun = port.port.transport == .udp ? "flow" : "connection"
    for former in port.formerEndpoints {
      let open = former.active.load(ordering: .relaxed)
      guard open > 0 else { continue }
      state.excluded.append(
        AdminState.Excluded(
          name: former.endpoint.name, address: former.endpoint.address.description,
          reason: "no longer an endpoint; \(open) \(noun)\(open == 1 ? "" : "s") still open"))
    }
  }

  private var counters: AdminState.Counters {
    let traffic = port.traffic
    let isUDP = port.port.transport == .udp
    let closes = isUDP ? named(FlowEnd.self, port.counters.closed) : named(CloseReason.self, port.counters.closed)
    let accepted = port.counters.accepted
    let ended = closes.values.reduce(0, +)
    return AdminState.Counters(
      accepted: accepted, active: accepted > ended ? accepted - ended : 0, bytesIn: traffic.bytesIn,
      bytesOut: traffic.bytesOut, connectFailures: traffic.connectFailures, retries: port.counters.retries,
      closes: closes, datagramsIn: isUDP ? port.counters.datagramsIn : nil,
      datagramsOut: isUDP ? port.counters.datagramsOut : nil,
      drops: isUDP ? named(DatagramDrop.self, port.counters.dropped) : nil)
  }

  /// The counts that are not zero, by the reason's name.
  private func named<Reason: CaseIterable & RawRepresentable<String>>(
    _ reasons: Reason.Type, _ count: (Int) -> UInt64
  ) -> [String: UInt64] {
    var named: [String: UInt64] = [:]
    for (place, reason) in Reason.allCases.enumerated() where count(place) > 0 { named[reason.rawValue] = count(place) }
    return named
  }
}

extension AdminState.Endpoint {
  init(_ endpoint: Balancing.Endpoint, node: String? = nil) {
    self.init(name: endpoint.name, address: endpoint.address.description, weight: endpoint.weight, node: node)
  }

  /// Takes the live counts over.
  mutating func count(_ state: EndpointState) {
    let traffic = state.traffic
    active = UInt64(max(state.active.load(ordering: .relaxed), 0))
    total = traffic.connections
    connectFailures = traffic.connectFailures
    bytesIn = traffic.bytesIn
    bytesOut = traffic.bytesOut
  }
}
