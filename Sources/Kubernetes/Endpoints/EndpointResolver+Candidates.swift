import Addresses

/// From objects to candidates: which address, which state.
extension EndpointResolver {
  /// The families a Service's endpoints may have, best first. Without `spec.ipFamilies` IPv4, and IPv6 where there is no IPv4.
  private static func families(_ service: Service) -> [IPAddress.Family] {
    service.spec.ipFamilies.isEmpty ? [.v4, .v6] : service.spec.ipFamilies.map(\.family)
  }

  private static func choose(_ addresses: [IPAddress], _ service: Service) -> IPAddress? {
    for family in families(service) {
      if let address = addresses.first(where: { $0.family == family }) { return address }
    }
    return nil
  }

  private static func zone(of node: String?, _ store: ObjectStore) -> String? {
    guard let node, !store.nodes.isEmpty else { return nil }
    return store.nodes[NamespacedName(namespace: "", name: node)]?.object.zone
  }

  /// As the EndpointSlice controller of Kubernetes judges a Pod.
  static func candidate(_ pod: Pod, _ service: Service, _ store: ObjectStore) -> Candidate {
    let address = choose(pod.status.podIPs, service)
    return Candidate(
      kind: .pod, name: pod.metadata.name, address: address ?? pod.status.podIPs.first, node: pod.spec.nodeName,
      zone: zone(of: pod.spec.nodeName, store), state: state(pod, service, hasAddress: address != nil),
      ports: .pod(pod.spec.ports))
  }

  private static func state(_ pod: Pod, _ service: Service, hasAddress: Bool) -> Candidate.State {
    if let phase = pod.status.phase, phase.isTerminal { return .excluded(.phase(phase)) }
    guard !pod.status.podIPs.isEmpty else {
      return .excluded(pod.status.phase == .pending ? .phase(.pending) : .noIP)
    }
    guard hasAddress else { return .excluded(.otherAddressFamily) }
    if service.spec.publishNotReadyAddresses { return .ready }
    let isReady = pod.ready?.status == .true
    if pod.metadata.isTerminating { return isReady ? .servingWhileTerminating : .excluded(.terminatingNotServing) }
    guard let phase = pod.status.phase else { return .excluded(.noPhase) }
    guard phase == .running else { return .excluded(.phase(phase)) }
    if isReady { return .ready }
    return .excluded(pod.ready.map { .notReady($0.reason) } ?? .noReadyCondition)
  }

  /// The endpoints of all slices of a Service. One family for all of them: the first that any of them has.
  static func candidates(_ slices: [EndpointSlice], _ service: Service, _ store: ObjectStore) -> [Candidate] {
    let present = Set(slices.filter { !$0.endpoints.isEmpty }.map(\.addressType))
    let family = families(service).first { present.contains($0 == .v4 ? .v4 : .v6) }
    let type: EndpointSlice.AddressType? = family.map { $0 == .v4 ? .v4 : .v6 }
    var candidates: [Candidate] = []
    var pods: Set<String> = []
    for slice in slices where slice.addressType == type {
      for endpoint in slice.endpoints {
        let candidate = candidate(endpoint, slice, state: state(endpoint), store)
        if candidate.kind == .pod { pods.insert(candidate.name) }
        candidates.append(candidate)
      }
    }
    for slice in slices where slice.addressType != type {
      let reason: ExcludedEndpoint.Reason = slice.addressType == .fqdn ? .fullyQualifiedName : .otherAddressFamily
      for endpoint in slice.endpoints {
        let candidate = candidate(endpoint, slice, state: .excluded(reason), store)
        // The second address of a dual-stack Pod: the Pod is listed already.
        if candidate.kind == .pod, pods.contains(candidate.name) { continue }
        candidates.append(candidate)
      }
    }
    return candidates
  }

  private static func candidate(
    _ endpoint: EndpointSlice.Endpoint, _ slice: EndpointSlice, state: Candidate.State, _ store: ObjectStore
  ) -> Candidate {
    let address = endpoint.addresses.first
    let pod = endpoint.targetRef.flatMap { $0.kind == "Pod" && !$0.name.isEmpty ? $0.name : nil }
    return Candidate(
      kind: pod == nil ? .endpoint : .pod,
      name: pod ?? endpoint.hostname ?? address?.description ?? slice.metadata.name,
      address: address, node: endpoint.nodeName, zone: endpoint.zone ?? zone(of: endpoint.nodeName, store),
      state: state,
      ports: .named(slice.ports))
  }

  // discovery.k8s.io/v1: ready nil means ready; serving nil means as ready; terminating nil means no.
  private static func state(_ endpoint: EndpointSlice.Endpoint) -> Candidate.State {
    if endpoint.ready ?? true {
      // publishNotReadyAddresses makes even terminating ones ready; otherwise ready excludes terminating.
      return endpoint.ready == nil && endpoint.terminating == true ? .servingWhileTerminating : .ready
    }
    guard endpoint.terminating == true else { return .excluded(.notReady(nil)) }
    return endpoint.serving ?? false ? .servingWhileTerminating : .excluded(.terminatingNotServing)
  }

  static func candidates(_ endpoints: Endpoints, _ service: Service, _ store: ObjectStore) -> [Candidate] {
    let present = Set(endpoints.subsets.flatMap { $0.addresses + $0.notReadyAddresses }.map(\.ip.family))
    let family = families(service).first { present.contains($0) }
    var candidates: [Candidate] = []
    for subset in endpoints.subsets {
      func add(_ address: Endpoints.Address, _ state: Candidate.State) {
        let pod = address.targetRef.flatMap { $0.kind == "Pod" && !$0.name.isEmpty ? $0.name : nil }
        candidates.append(
          Candidate(
            kind: pod == nil ? .endpoint : .pod, name: pod ?? address.hostname ?? address.ip.description,
            address: address.ip, node: address.nodeName, zone: zone(of: address.nodeName, store),
            state: address.ip.family == family ? state : .excluded(.otherAddressFamily), ports: .named(subset.ports)))
      }
      for address in subset.addresses { add(address, .ready) }
      let state: Candidate.State = service.spec.publishNotReadyAddresses ? .ready : .excluded(.notReady(nil))
      for address in subset.notReadyAddresses { add(address, state) }
    }
    return candidates
  }

  /// A node as the target of NodePorts.
  static func candidate(_ node: Node, _ service: Service) -> Candidate {
    let ofType = { (type: String) in node.addresses.filter { $0.type == type }.map(\.address) }
    let address = choose(ofType("InternalIP"), service) ?? choose(ofType("ExternalIP"), service)
    let state: Candidate.State
    if node.metadata.labels[Node.excludeLabel] != nil {
      state = .excluded(.excludedByLabel)
    } else if let ready = node.ready, ready.status != .true {
      // Unknown is what the API server says of a node it has not heard of for 40 s.
      state = .excluded(.notReady(ready.reason))
    } else if address == nil {
      state = .excluded(node.addresses.isEmpty ? .noIP : .otherAddressFamily)
    } else {
      state = .ready
    }
    return Candidate(
      kind: .node, name: node.metadata.name, address: address, node: node.metadata.name, zone: node.zone, state: state,
      ports: .node)
  }
}
