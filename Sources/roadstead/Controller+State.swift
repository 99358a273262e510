import Addresses
import Admin
import Announcing
import Balancing
import Glibc
import Kubernetes
import Proxy

extension Controller {
  /// The same as ``state(startedAt:)``, with what only the kernel knows until it is asked.
  func freshState(startedAt: Int) async -> AdminState {
    await plane.countKernelDrops()
    await refreshAnnouncements()
    return state(startedAt: startedAt)
  }

  /// Everything that `status`, `explain` and `/api/v1/state` tell, as of now.
  func state(startedAt: Int) -> AdminState {
    let interfaces = InterfaceAddresses()
    let running = Dictionary(snapshot.ports.map { (PortKey($0.port), $0) }, uniquingKeysWith: { first, _ in first })
    let name = announcer?.name ?? "nobody"
    let planned = plan.services.map { service in
      service.state(
        announcement: { record.fill(&$0, of: $1, announcer: name, interfaces) },
        live: { $0.served.flatMap { running[PortKey($0)] }.map(live) })
    }
    let services = planned + fixedServices(running, interfaces)
    let claimed = Set(services.flatMap(\.addresses).map(\.address))
    var total = AdminState.Counters()
    for port in services.flatMap(\.ports) { total += port.counters }
    return AdminState(
      version: Roadstead.version, startedAt: RFC3339.text(unixSeconds: startedAt), uptimeSeconds: UInt64(uptime),
      readiness: readiness, limits: .current(shards: plane.shardCount, udpFlows: UInt64(plane.flowLimit)),
      sources: plan.sources(of: manifests),
      pools: plan.poolStates, services: services, counters: total,
      announcer: announcer.map {
        record.state(name: $0.name, interfaces: interfaces, former: lingering.asked) {
          claimed.contains($0.description)
        }
      }, cluster: clusterState)
  }

  /// Whether all that was read and asked for is served.
  var readiness: AdminState.Readiness {
    if isDraining { return .draining }
    if !sources.isComplete { return .notReady("the API server has not told everything yet") }
    if manifests == nil, session == nil, fixedPorts.isEmpty { return .notReady("no manifest has been read") }
    if let failure = served.failures.values.map(\.description).sorted().first { return .notReady(failure) }
    return .ready
  }

  private func fixedServices(
    _ running: [PortKey: ServedPort], _ interfaces: InterfaceAddresses
  ) -> [AdminState.Service] {
    fixedPorts.map { port in
      let name = port.listen.map(\.description).joined(separator: ",")
      let addresses = port.listen.map(\.address).map { ip in
        var address = AdminState.Address(ip.description, reason: "asked for by --listen")
        record.fill(&address, of: ip, announcer: announcer?.name ?? "nobody", interfaces)
        return address
      }
      return AdminState.Service(
        namespace: "", name: name, type: "Listen",
        addresses: addresses, balance: port.balance.rawValue,
        target: AdminState.Target(kind: "address", reason: "named by --to"),
        ports: [
          running[PortKey(port)].map {
            live($0, basedOn: AdminState.Port(transport: port.transport.rawValue, port: port.listen[0].port))
          }
            ?? AdminState.Port(transport: port.transport.rawValue, port: port.listen[0].port)
        ])
    }
  }

  private func live(_ port: ServedPort) -> LivePort {
    let addresses = port.port.listenAddresses
    return LivePort(
      port: port, listening: addresses.filter(served.listening.contains),
      errors: addresses.compactMap { address in
        served.failures[address].map(\.description)
          ?? (served.clashes[address]?.contains(port.port.service) == true ? "\(address) is another Service's" : nil)
      })
  }

  private func live(_ port: ServedPort, basedOn state: AdminState.Port) -> AdminState.Port {
    var state = state
    state.endpoints = port.endpoints.map { AdminState.Endpoint($0.endpoint) }
    live(port).fill(&state)
    return state
  }
}

/// What tells the ports of all Services apart.
private struct PortKey: Hashable {
  let service: String
  let transport: TransportProtocol
  let listen: SocketAddress?

  init(_ port: ServicePort) {
    service = port.service
    transport = port.transport
    listen = port.listen.first
  }
}

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
  fileprivate mutating func count(_ state: EndpointState) {
    let traffic = state.traffic
    active = UInt64(max(state.active.load(ordering: .relaxed), 0))
    total = traffic.connections
    connectFailures = traffic.connectFailures
    bytesIn = traffic.bytesIn
    bytesOut = traffic.bytesOut
  }
}

extension AdminState.Limits {
  /// What the machine allows this process.
  static func current(shards: Int?, udpFlows: UInt64? = nil) -> AdminState.Limits {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return Self(shards: shards)
    }
    // Two descriptors a connection, and some for the process itself.
    let open = UInt64(limit.rlim_cur)
    return Self(shards: shards, openFiles: open, connections: open > 64 ? (open - 64) / 2 : 0, udpFlows: udpFlows)
  }
}
