import Addresses
import Admin
import Announcing
import Balancing
import Kubernetes

extension Plan {
  /// The state without a data plane: what `explain -f` tells.
  func state(of manifests: ManifestSnapshot, announcing planner: AnnouncementPlanner) -> AdminState {
    let interfaces = InterfaceAddresses()
    let verdicts = planner.plan(self, store: manifests.store).verdicts
    return AdminState(
      version: Roadstead.version, startedAt: RFC3339.text(unixSeconds: 0),
      readiness: .notReady("planned from files; nothing runs"), limits: .current(shards: nil),
      sources: sources(of: manifests), pools: poolStates,
      services: services.map { service in
        service.state(
          announcement: { address, ip in
            interfaces.fill(&address, of: ip)
            verdicts[ip]?.fill(&address)
          }, live: { _ in nil })
      })
  }

  /// Each file with what is wrong in it.
  func sources(of manifests: ManifestSnapshot?) -> [AdminState.Source] {
    guard let manifests else { return [] }
    let problems = Dictionary(grouping: manifests.problems + problems, by: \.file)
    var sources = manifests.files.map { file in
      AdminState.Source(name: file.path, problems: (problems[file.path] ?? []).map(AdminState.Problem.init))
    }
    let named = Set(manifests.files.map(\.path))
    for (file, problems) in problems.sorted(by: { $0.key < $1.key }) where !named.contains(file) {
      sources.append(AdminState.Source(name: file, problems: problems.map(AdminState.Problem.init)))
    }
    return sources
  }

  var poolStates: [AdminState.Pool] {
    let usage = Dictionary(grouping: usage, by: \.pool)
    return pools.map { pool in
      let rows = usage[pool.name] ?? []
      let total = rows.reduce(UInt128(0)) { sum, row in
        let (total, overflow) = sum.addingReportingOverflow(row.total)
        return overflow ? .max : total
      }
      return AdminState.Pool(
        name: pool.name, ranges: pool.ranges.map(\.description),
        assigned: UInt64(rows.reduce(0) { $0 + $1.inUse }), total: "\(total)")
    }
  }
}

extension PlannedService {
  /// What is told of one Service; `announcement` adds to an address who has and who announces it, and `live` gives a port's
  /// running part, where there is one.
  func state(
    announcement: (inout AdminState.Address, IPAddress) -> Void, live: (PlannedPort) -> LivePort?
  ) -> AdminState.Service {
    let metadata = service.metadata
    return AdminState.Service(
      namespace: metadata.namespace, name: metadata.name, type: service.spec.type.rawValue,
      origin: source.file.isEmpty ? nil : source.description,
      addresses: outcome.addresses.map { assignment in
        var address = AdminState.Address(
          assignment.address.description, pool: assignment.pool, reason: addressReason)
        announcement(&address, assignment.address)
        return address
      }, waiting: waiting, balance: Planner.balance(of: service, settings).rawValue, settings: shownSettings,
      target: AdminState.Target(
        kind: target.source == .nodePorts ? "node-port" : "pod",
        reason: ([target.reason] + target.notes).joined(separator: "; ")),
      ports: ports.map { state(of: $0, live: live($0)) })
  }

  /// Why these addresses; nil where that they are the pool's says it all.
  private var addressReason: String? {
    switch outcome.lastChange {
    case .assigned, nil: settings.requestedAddresses.isEmpty ? nil : "asked for"
    case .restored: "had it before this process"
    case let change?: change.text(for: name)
    }
  }

  private var shownSettings: [String: String] {
    let prefix = "roadstead.dev/"
    var shown: [String: String] = [:]
    for (key, value) in service.metadata.annotations where key.hasPrefix(prefix) {
      shown[String(key.dropFirst(prefix.count))] = value
    }
    shown["balance"] = nil
    return shown
  }

  private func state(of port: PlannedPort, live: LivePort?) -> AdminState.Port {
    let resolved = port.resolved
    let isNodePort = target.source == .nodePorts
    var state = AdminState.Port(
      name: resolved.port.name, transport: resolved.port.protocol.rawValue, port: resolved.port.port,
      targetPort: isNodePort
        ? resolved.port.nodePort.map { "\($0)" } ?? "none" : "\(resolved.port.targetPort)",
      errors: port.problem.map { [$0] } ?? [],
      endpoints: resolved.endpoints.map { AdminState.Endpoint($0.endpoint, node: $0.node) },
      excluded: resolved.excluded.map {
        AdminState.Excluded(
          name: "\($0.kind.rawValue) \($0.name)", address: $0.address?.description, reason: $0.reason.description)
      })
    live?.fill(&state)
    return state
  }
}

extension AdminState.Problem {
  init(_ problem: ManifestProblem) {
    let object = problem.name.isEmpty ? problem.kind : "\(problem.kind)/\(problem.name)"
    self.init(
      problem.severity == .error ? .error : .warning, file: problem.file.isEmpty ? nil : problem.file,
      line: problem.line, object: object.isEmpty ? nil : object, field: problem.field.isEmpty ? nil : problem.field,
      message: problem.message)
  }
}
