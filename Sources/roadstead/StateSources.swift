import Addresses
import Admin
import Announcing
import Balancing
import Kubernetes
import Proxy

/// All that the state is made of, as of one moment: values that cost nothing to copy, so that whoever asks makes texts of
/// them while the controller goes on.
struct StateSources: Sendable {
  let uptime: Double
  let readiness: AdminState.Readiness
  let shards: Int
  let flowLimit: Int
  let manifests: ManifestSnapshot?
  let plan: Plan
  let snapshot: Snapshot
  let fixedPorts: [ServicePort]
  let served: DataPlane.Report
  let record: AnnouncementRecord
  /// The Services that addresses are kept for which they do not have any more.
  let formerServices: [IPAddress: Set<String>]
  /// The announcer's name; nil where there is none.
  let announcer: String?
  let cluster: AdminState.Cluster?

  /// Everything that `status`, `explain` and `/api/v1/state` tell. Counters are as of now.
  func state(startedAt: Int) -> AdminState {
    let interfaces = InterfaceAddresses()
    let running = Dictionary(snapshot.ports.map { (PortKey($0.port), $0) }, uniquingKeysWith: { first, _ in first })
    let name = announcer ?? "nobody"
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
      readiness: readiness, limits: .current(shards: shards, udpFlows: UInt64(flowLimit)),
      sources: plan.sources(of: manifests), pools: plan.poolStates, services: services, counters: total,
      announcer: announcer.map {
        record.state(name: $0, interfaces: interfaces, former: formerServices) { claimed.contains($0.description) }
      }, cluster: cluster)
  }

  private func fixedServices(
    _ running: [PortKey: ServedPort], _ interfaces: InterfaceAddresses
  ) -> [AdminState.Service] {
    fixedPorts.map { port in
      let name = port.listen.map(\.description).joined(separator: ",")
      let addresses = port.listen.map(\.address).map { ip in
        var address = AdminState.Address(ip.description, reason: "asked for by --listen")
        record.fill(&address, of: ip, announcer: announcer ?? "nobody", interfaces)
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
