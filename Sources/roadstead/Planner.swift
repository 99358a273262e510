import Addresses
import Announcing
import Balancing
import Kubernetes

/// Makes a ``Plan`` of the objects: gives addresses, finds endpoints, reads settings.
///
/// Pure but for its memory: who has which address, and the plan before, of which all stays that no change concerns.
/// Time is an argument.
struct Planner: Sendable {
  private var allocator = Allocator()
  private let resolver: EndpointResolver
  /// The only one that is served; nil: Services without one.
  private let loadBalancerClass: String?
  /// Whether the status of Services is newer than what a process before this one had given.
  private let trustsStatus: Bool
  /// What a process before this one had given, from `--state`.
  private let restored: [ServiceName: [AddressAssignment]]
  /// Whether another instance gives the addresses: they are what the Services' status says. What was given here is
  /// forgotten; the next plan is to be a whole one.
  var isFollowing = false { didSet { if isFollowing != oldValue { allocator = Allocator() } } }
  private var plan = Plan()
  // The parts of the plan's problems that do not come from Services.
  private var poolProblems: [ManifestProblem] = []
  private var advertisementProblems: [ManifestProblem] = []

  init(
    resolver: EndpointResolver, restored: [ServiceName: [AddressAssignment]] = [:], loadBalancerClass: String? = nil,
    trustsStatus: Bool = false
  ) {
    self.trustsStatus = trustsStatus
    self.resolver = resolver
    self.restored = restored
    self.loadBalancerClass = loadBalancerClass
  }

  /// Who has which address now, for `--state`.
  var assignments: [ServiceName: [AddressAssignment]] { allocator.assignments }

  /// Plans for all of `store`, whatever was planned before.
  mutating func plan(_ store: ObjectStore, now: Double) -> Plan {
    plan(ObjectChanges(whole: store), now: now).plan
  }

  /// Plans for what is different in `objects`, as if for all of them. `now` is in seconds of a steady clock.
  mutating func plan(_ objects: ObjectChanges, now: Double) -> (plan: Plan, changes: PlanChanges) {
    var changes = PlanChanges()
    let claimants = claimants(objects)
    // Who follows is told of pools by name: a change of them may concern all.
    let objects = isFollowing && objects.concern([.ipAddressPool]) ? ObjectChanges(whole: objects.store) : objects
    let convergence = isFollowing ? Convergence() : converge(objects, claimants, now: now)
    if objects.concern([.ipAddressPool]) || !convergence.outcomes.isEmpty || !convergence.removed.isEmpty {
      changes.isAllocation = true
      plan.pools =
        isFollowing
        ? objects.store.ipAddressPools.sorted { $0.key < $1.key }.map { AddressPool($0.value.object) }
        : allocator.poolsInForce
      plan.usage = allocator.usage
    }
    plan.events = convergence.events

    var addresses: Set<IPAddress> = []
    var hasProblems = false
    let affected = objects.affectedServices.map(ServiceName.init)
    for name in claimants.union(affected).union(convergence.outcomes.keys).sorted() {
      let (old, new) = (plan.service(name), planned(name, objects.store))
      guard old != nil || new != nil else { continue }
      plan.replace(name, with: new)
      changes.services.insert(name)
      let isAlike = if let old, let new { new.isAnnounced(like: old) } else { false }
      if !isAlike { addresses.formUnion((old?.addresses ?? []) + (new?.addresses ?? [])) }
      if old?.hasProblems == true || new?.hasProblems == true { hasProblems = true }
    }
    changes.addresses = objects.concern([.ipAddressPool, .l2Advertisement, .node]) ? nil : addresses
    if hasProblems || objects.concern([.ipAddressPool, .l2Advertisement]) {
      plan.problems = poolProblems + advertisementProblems + plan.services.flatMap(\.problems)
    }
    return (plan, changes)
  }

  /// The Services whose requests for addresses may be different, and those that may be gone.
  private func claimants(_ objects: ObjectChanges) -> Set<ServiceName> {
    if objects.isWhole { return Set(objects.store.services.keys.map(ServiceName.init) + plan.services.map(\.name)) }
    var names: Set<ServiceName> = []
    for reference in objects.changes {
      if reference.kind == .service { names.insert(ServiceName(reference.name)) }
      // Its labels decide on pools.
      if reference.kind == .namespace {
        names.formUnion(plan.services.lazy.map(\.name).filter { $0.namespace == reference.name.name })
      }
    }
    return names
  }

  /// Has the allocator settle what is different.
  private mutating func converge(
    _ objects: ObjectChanges, _ claimants: Set<ServiceName>, now: Double
  ) -> Convergence {
    let store = objects.store
    var requests: [AddressRequest] = []
    var gone: [ServiceName] = []
    for name in claimants.sorted() {
      if let service = ours(name, store) { requests.append(request(service.object, store)) } else { gone.append(name) }
    }
    let hasNewPools = objects.concern([.ipAddressPool])
    let pools = hasNewPools ? store.ipAddressPools.sorted { $0.key < $1.key }.map(\.value) : []
    let convergence = allocator.converge(
      pools: hasNewPools ? pools.map { AddressPool($0.object) } : nil, changed: requests, removed: gone, now: now)
    if hasNewPools {
      poolProblems = convergence.poolProblems.map { problem in
        let source = pools.first { $0.object.metadata.name == problem.pool }?.source
        return ManifestProblem(
          .error, file: source?.file ?? "", line: source?.line, kind: "IPAddressPool", name: problem.pool,
          field: "spec.addresses", message: problem.description)
      }
    }
    if objects.concern([.ipAddressPool, .l2Advertisement]) { advertisementProblems = store.advertisementProblems }
    return convergence
  }

  /// The Service of this name, if it is there and ours to serve.
  private func ours(_ name: ServiceName, _ store: ObjectStore) -> StoredObject<Service>? {
    let stored = store.services[NamespacedName(namespace: name.namespace, name: name.name)]
    return stored?.object.isOurs(loadBalancerClass: loadBalancerClass) == true ? stored : nil
  }

  private func planned(_ name: ServiceName, _ store: ObjectStore) -> PlannedService? {
    guard let stored = ours(name, store) else { return nil }
    let service = stored.object
    let outcome =
      isFollowing
      ? followed(service, store) : allocator.outcome(of: name) ?? AllocationOutcome(addresses: [])
    let settings = ServiceSettings(service)
    let target = resolver.resolve(service, in: store)
    let ports = target.ports.map { resolved in
      plannedPort(resolved, of: service, settings: settings, addresses: outcome.addresses.map(\.address))
    }
    return PlannedService(stored, settings: settings, outcome: outcome, target: target, ports: ports)
  }

  /// The addresses that the holder of the Lease has given.
  private func followed(_ service: Service, _ store: ObjectStore) -> AllocationOutcome {
    AllocationOutcome(
      addresses: service.status.ingress.compactMap(\.ip).map { address in
        let pool = store.ipAddressPools.values.first { $0.object.addresses.contains { $0.contains(address) } }
        return AddressAssignment(address, pool: pool?.object.metadata.name ?? "")
      })
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
      current: trustsStatus && !fromStatus.isEmpty ? fromStatus : restored[name]?.map(\.address) ?? fromStatus)
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
