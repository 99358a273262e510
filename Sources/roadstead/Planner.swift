import Addresses
import Announcing
import Balancing
import Kubernetes

/// Makes a ``Plan`` of the objects: gives addresses, finds endpoints, reads settings.
///
/// Pure but for the allocator's memory of who has which address; time is an argument.
struct Planner: Sendable {
  private var allocator = Allocator()
  private let resolver: EndpointResolver
  /// What a process before this one had given, from `--state`.
  private let restored: [ServiceName: [AddressAssignment]]

  init(resolver: EndpointResolver, restored: [ServiceName: [AddressAssignment]] = [:]) {
    self.resolver = resolver
    self.restored = restored
  }

  /// Who has which address now, for `--state`.
  var assignments: [ServiceName: [AddressAssignment]] { allocator.assignments }

  /// Plans for all of `store`. `now` is in seconds of a steady clock.
  mutating func plan(_ store: ObjectStore, now: Double) -> Plan {
    let ours = store.services.values.filter { $0.object.isOurs() }
      .sorted { $0.object.metadata.namespacedName < $1.object.metadata.namespacedName }
    let pools = store.ipAddressPools.values.sorted { $0.object.metadata.name < $1.object.metadata.name }
    let convergence = allocator.converge(
      pools: pools.map { AddressPool($0.object) }, requests: ours.map { request($0.object, store) }, now: now)
    var plan = Plan()
    plan.pools = allocator.poolsInForce
    plan.usage = allocator.usage
    plan.events = convergence.events
    plan.problems = convergence.poolProblems.map { problem in
      let source = pools.first { $0.object.metadata.name == problem.pool }?.source
      return ManifestProblem(
        .error, file: source?.file ?? "", line: source?.line, kind: "IPAddressPool", name: problem.pool,
        field: "spec.addresses", message: problem.description)
    }
    plan.services = ours.map { stored in
      let name = ServiceName(stored.object.metadata.namespacedName)
      let outcome = allocator.outcome(of: name) ?? AllocationOutcome(addresses: [])
      return planned(stored, outcome: outcome, store)
    }
    plan.problems += store.advertisementProblems
    plan.problems += plan.services.flatMap(problems)
    return plan
  }

  private func planned(
    _ stored: StoredObject<Service>, outcome: AllocationOutcome, _ store: ObjectStore
  ) -> PlannedService {
    let service = stored.object
    let settings = ServiceSettings(service)
    let target = resolver.resolve(service, in: store)
    let ports = target.ports.map { resolved in
      plannedPort(resolved, of: service, settings: settings, addresses: outcome.addresses.map(\.address))
    }
    return PlannedService(
      service: service, source: stored.source, settings: settings, outcome: outcome, target: target, ports: ports)
  }

  private func plannedPort(
    _ resolved: PortEndpoints, of service: Service, settings: ServiceSettings, addresses: [IPAddress]
  ) -> PlannedPort {
    guard let transport = resolved.port.protocol.transport else {
      return PlannedPort(resolved: resolved, served: nil, problem: resolved.problem)
    }
    var timeouts = settings.timeouts
    timeouts.udpIdle = settings.udpIdleTimeout
    let served = ServicePort(
      service: service.metadata.namespacedName.description, name: resolved.port.name, transport: transport,
      listen: addresses.map { SocketAddress($0, port: resolved.port.port) },
      endpoints: resolved.endpoints.map(\.endpoint), balance: Self.balance(of: service, settings), timeouts: timeouts)
    return PlannedPort(resolved: resolved, served: addresses.isEmpty ? nil : served, problem: resolved.problem)
  }

  /// Affinity by source address needs no memory here: every instance and every shard chooses alike.
  static func balance(of service: Service, _ settings: ServiceSettings) -> BalancePolicy {
    service.spec.sessionAffinity == .clientIP ? .maglev : settings.balance
  }

  private func request(_ service: Service, _ store: ObjectStore) -> AddressRequest {
    let metadata = service.metadata
    let name = ServiceName(metadata.namespacedName)
    let settings = ServiceSettings(service)
    let namespace = store.namespaces[NamespacedName(namespace: "", name: metadata.namespace)]?.object
    // The name is a label of every namespace since Kubernetes 1.22, and files seldom spell it out.
    var namespaceLabels = namespace?.metadata.labels ?? [:]
    namespaceLabels["kubernetes.io/metadata.name"] = metadata.namespace
    let fromStatus = service.status.ingress.compactMap(\.ip)
    let isLocal = service.spec.externalTrafficPolicy == .local
    return AddressRequest(
      id: name, labels: metadata.labels, namespaceLabels: namespaceLabels, families: families(service),
      familyPolicy: service.spec.ipFamilyPolicy.flatMap { AddressRequest.FamilyPolicy(rawValue: $0.rawValue) }
        ?? .singleStack,
      requestedAddresses: settings.requestedAddresses, requestedPool: settings.addressPool,
      sharingKey: settings.sharingKey, ports: Set(service.spec.ports.compactMap(Self.port)),
      localPolicySelector: isLocal
        ? service.spec.selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",") : "",
      current: restored[name]?.map(\.address) ?? fromStatus)
  }

  /// The cluster IPs decide where there are any, as in MetalLB; else `ipFamilies`; else what is asked for.
  private func families(_ service: Service) -> [IPAddress.Family] {
    let fromCluster = service.spec.clusterIPs.map(\.family)
    let fromSpec = service.spec.ipFamilies.map(\.family)
    let named = fromCluster.isEmpty ? fromSpec : fromCluster
    if !named.isEmpty { return named }
    let asked = ServiceSettings(service).requestedAddresses.map(\.family)
    let first = asked.first ?? .v4
    return service.spec.ipFamilyPolicy == nil || service.spec.ipFamilyPolicy == .singleStack
      ? [first] : [first, first == .v4 ? .v6 : .v4]
  }

  private static func port(_ port: Service.Port) -> AddressRequest.Port? {
    AddressRequest.Port.Transport(rawValue: port.protocol.rawValue).map { AddressRequest.Port($0, port.port) }
  }

  private func problems(of planned: PlannedService) -> [ManifestProblem] {
    func problem(_ severity: ManifestProblem.Severity, _ field: String, _ message: String) -> ManifestProblem {
      let metadata = planned.service.metadata
      return ManifestProblem(
        severity, file: planned.source.file, line: planned.source.line, kind: "Service",
        namespace: metadata.namespace, name: metadata.name, field: field, message: message)
    }
    var problems: [ManifestProblem] = []
    if let waiting = planned.waiting {
      // One that prefers two families and has one is served as it asked to be.
      problems.append(problem(planned.outcome.addresses.isEmpty ? .error : .warning, "", waiting))
    }
    for (index, port) in planned.ports.enumerated() {
      if let text = port.problem { problems.append(problem(.error, "spec.ports[\(index)]", text)) }
    }
    return problems
  }
}

extension AddressPool {
  /// The pool of a MetalLB object.
  init(_ pool: IPAddressPool) {
    self.init(
      name: pool.metadata.name, ranges: pool.addresses, autoAssign: pool.autoAssign,
      avoidBuggyIPs: pool.avoidBuggyIPs,
      allocation: pool.serviceAllocation.map {
        ServiceAllocation(
          priority: $0.priority, namespaces: Set($0.namespaces), namespaceSelectors: $0.namespaceSelectors,
          serviceSelectors: $0.serviceSelectors)
      }, labels: pool.metadata.labels)
  }
}
