import Addresses

/// Finds the endpoints of a Service in a store of objects. Pure.
///
/// The rules are the API's: EndpointSlices that name the Service, else Endpoints of its name, else its selector over
/// the Pods. Ready endpoints take new traffic; where none is ready, those that are terminating and still serve do
/// (KEP-1669, as kube-proxy reads it: an endpoint that is merely not ready does not keep them from it).
public struct EndpointResolver: Hashable, Sendable {
  /// Where traffic is sent, where the Service does not say.
  public var target: TargetPolicy
  /// The node that `externalTrafficPolicy: Local` means; nil: not known.
  public var nodeName: String?
  /// Whether Pods of the namespace whose labels do not match are listed too. For `explain`; it looks at all of them.
  public var listsMismatches: Bool
  /// Whether `externalTrafficPolicy: Local` gives way where the node has no endpoint: where one instance holds all
  /// addresses, no other could serve them.
  public var localGivesWay = false

  public init(target: TargetPolicy = .auto, nodeName: String? = nil, listsMismatches: Bool = false) {
    self.target = target
    self.nodeName = nodeName
    self.listsMismatches = listsMismatches
  }

  /// The endpoints of `service`, for each of its ports.
  ///
  /// ``ObjectStore/insert(_:source:)`` and ``ObjectStore/remove(_:)`` say for which Services the answer may have changed.
  public func resolve(_ service: Service, in store: ObjectStore) -> ServiceEndpoints {
    let asked = ServiceSettings(service).target
    let choice = asked ?? target
    let known = knownEndpoints(of: service, in: store)
    // A selector that chooses no Pod says something only where Pods are known at all.
    let isKnown = known.map { $0.source != .selector || store.hasPods(in: service.metadata.namespace) } ?? false
    let usesNodes = choice == .nodePort || choice == .auto && !isKnown && !store.nodes.isEmpty
    var result =
      usesNodes
      ? nodePorts(service, isKnown ? known : nil, in: store) : pods(service, known, in: store)
    if asked != nil {
      result.reason += " (annotation roadstead.dev/target)"
    } else if choice != .auto {
      result.reason += " (target \(choice.rawValue))"
    } else if usesNodes {
      result.reason += " (target auto: no endpoint is known)"
    }
    return result
  }

  // MARK: Pods

  /// What is known of a Service's endpoints without looking at nodes.
  struct Known {
    var source: ServiceEndpoints.Source
    var reason: String
    var candidates: [Candidate]
    var unselected: [ExcludedEndpoint] = []
  }

  private func knownEndpoints(of service: Service, in store: ObjectStore) -> Known? {
    let name = service.metadata.namespacedName
    let slices = store.endpointSlices(of: name)
    if !slices.isEmpty {
      let reason = "\(slices.count) EndpointSlice\(slices.count == 1 ? " names" : "s name") the Service"
      return Known(source: .endpointSlices, reason: reason, candidates: Self.candidates(slices, service, store))
    }
    if let endpoints = store.endpoints[name]?.object {
      return Known(
        source: .endpoints, reason: "Endpoints of the Service's name, and no EndpointSlice",
        candidates: Self.candidates(endpoints, service, store))
    }
    let selector = service.spec.selector
    guard !selector.isEmpty else { return nil }
    let pods = store.pods(in: name.namespace, selectedBy: selector)
    let labels = selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    var known = Known(
      source: .selector, reason: "selector \(labels) over Pods: \(pods.count) match",
      candidates: pods.map { Self.candidate($0, service, store) })
    if listsMismatches { known.unselected = Self.mismatches(selector, store.pods(in: name.namespace)) }
    return known
  }

  private func pods(_ service: Service, _ known: Known?, in store: ObjectStore) -> ServiceEndpoints {
    guard let known else {
      return ServiceEndpoints(
        source: .none, reason: "the Service has no selector, no EndpointSlice and no Endpoints",
        ports: service.spec.ports.map { PortEndpoints(port: $0) })
    }
    var result = ServiceEndpoints(source: known.source, reason: known.reason)
    var local: String?
    if service.spec.externalTrafficPolicy == .local {
      local = nodeName
      if local == nil {
        result.notes.append("externalTrafficPolicy: Local does not restrict: this process does not know its node")
      }
    }
    result.ports = service.spec.ports.map { port in
      var endpoints = Self.endpoints(of: known.candidates, for: port, local: local)
      endpoints.excluded += known.unselected
      return endpoints
    }
    if let local, localGivesWay, result.ports.allSatisfy(\.endpoints.isEmpty) {
      let ofAll = service.spec.ports.map { Self.endpoints(of: known.candidates, for: $0, local: nil) }
      if !ofAll.allSatisfy(\.endpoints.isEmpty) {
        result.ports = ofAll
        result.isLocalPolicyNotMet = true
        result.notes.append(
          "externalTrafficPolicy: Local is not met: node \(local) has no endpoint, so those of all serve")
      }
    }
    return result
  }

  private static func mismatches(_ selector: [String: String], _ pods: [Pod]) -> [ExcludedEndpoint] {
    pods.compactMap { pod in
      let labels = pod.metadata.labels
      let wrong = selector.filter { labels[$0.key] != $0.value }.min { $0.key < $1.key }
      guard let (key, wanted) = wrong else { return nil }
      return ExcludedEndpoint(
        .pod, pod.metadata.name, address: pod.status.podIPs.first,
        reason: .labelMismatch(key: key, wanted: wanted, found: labels[key]))
    }
  }

  /// Those of `candidates` that serve `port`; `local`: only those on this node.
  static func endpoints(of candidates: [Candidate], for port: Service.Port, local: String?) -> PortEndpoints {
    var result = PortEndpoints(port: port)
    guard port.protocol.transport != nil else {
      result.problem = "\(port.protocol.rawValue) is not supported"
      return result
    }
    var terminating: [Candidate] = []
    var seen: Set<SocketAddress> = []
    func resolved(_ candidate: Candidate, isTerminating: Bool) -> ResolvedEndpoint? {
      guard let address = candidate.address else {
        result.excluded.append(candidate.excluded(.noIP))
        return nil
      }
      guard let number = candidate.number(for: port) else {
        result.excluded.append(candidate.excluded(.noPort(name: candidate.portName(for: port))))
        return nil
      }
      let socket = SocketAddress(address, port: number)
      guard seen.insert(socket).inserted else { return nil }
      return ResolvedEndpoint(
        address: socket, name: candidate.name, node: candidate.node, zone: candidate.zone, isTerminating: isTerminating)
    }
    for candidate in candidates {
      if case .excluded(let reason) = candidate.state {
        result.excluded.append(candidate.excluded(reason))
      } else if let local, candidate.node != local {
        result.excluded.append(candidate.excluded(.otherNode(found: candidate.node, wanted: local)))
      } else if case .servingWhileTerminating = candidate.state {
        terminating.append(candidate)
      } else if let endpoint = resolved(candidate, isTerminating: false) {
        result.endpoints.append(endpoint)
      }
    }
    if result.endpoints.isEmpty {
      for candidate in terminating {
        if let endpoint = resolved(candidate, isTerminating: true) { result.endpoints.append(endpoint) }
      }
    } else {
      // The same address may be ready in another slice: then it is not out.
      for candidate in terminating {
        let socket = candidate.address.flatMap { address in
          candidate.number(for: port).map { SocketAddress(address, port: $0) }
        }
        if let socket, seen.contains(socket) { continue }
        result.excluded.append(candidate.excluded(.terminating))
      }
    }
    result.endpoints.sort { $0.name == $1.name ? $0.address < $1.address : $0.name < $1.name }
    result.excluded.sort { $0.name < $1.name }
    return result
  }

  // MARK: Nodes

  private func nodePorts(_ service: Service, _ known: Known?, in store: ObjectStore) -> ServiceEndpoints {
    let count = store.nodes.count
    var result = ServiceEndpoints(
      source: .nodePorts, reason: count == 0 ? "no Node is known" : "NodePorts of \(count) Node\(count == 1 ? "" : "s")"
    )
    let isLocal = service.spec.externalTrafficPolicy == .local
    if isLocal, known == nil {
      result.notes.append("externalTrafficPolicy: Local does not restrict: which nodes have endpoints is not known")
    }
    let nodes = store.nodes.sorted { $0.key < $1.key }.map { Self.candidate($0.value.object, service) }
    result.ports = service.spec.ports.map { port in
      guard port.protocol.transport == nil || port.nodePort != nil else {
        return PortEndpoints(port: port, problem: "nodePort is not set, and the target is node-port")
      }
      var candidates = nodes
      if isLocal, let known {
        let ready = Self.endpoints(of: known.candidates, for: port, local: nil).endpoints
        let names = Set(ready.compactMap(\.node))
        candidates = nodes.map { names.contains($0.name) ? $0 : $0.withoutLocalEndpoint }
      }
      return Self.endpoints(of: candidates, for: port, local: nil)
    }
    return result
  }
}

extension Candidate {
  fileprivate var withoutLocalEndpoint: Candidate {
    if case .excluded = state { return self }
    return Candidate(
      kind: kind, name: name, address: address, node: node, zone: zone, state: .excluded(.noLocalEndpoint), ports: ports
    )
  }
}
