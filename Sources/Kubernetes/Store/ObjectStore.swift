/// All objects, by kind, namespace and name, and the indices that endpoint resolution needs.
///
/// A value: a copy costs nothing until one of the two is changed.
public struct ObjectStore: Sendable {
  public private(set) var services: [NamespacedName: StoredObject<Service>] = [:]
  public private(set) var pods: [NamespacedName: StoredObject<Pod>] = [:]
  public private(set) var endpointSlices: [NamespacedName: StoredObject<EndpointSlice>] = [:]
  public private(set) var endpoints: [NamespacedName: StoredObject<Endpoints>] = [:]
  public private(set) var nodes: [NamespacedName: StoredObject<Node>] = [:]
  public private(set) var namespaces: [NamespacedName: StoredObject<Namespace>] = [:]
  public private(set) var ipAddressPools: [NamespacedName: StoredObject<IPAddressPool>] = [:]
  public private(set) var l2Advertisements: [NamespacedName: StoredObject<L2Advertisement>] = [:]

  // Slices by the Service they name.
  private var slicesByService: [NamespacedName: Set<NamespacedName>] = [:]
  // Pods, and Services with a selector, by namespace.
  private var podLabels: [String: LabelIndex] = [:]
  private var selectingServices: [String: Set<NamespacedName>] = [:]

  public init() {}

  /// Puts `object` in the place of one of the same kind and name; returns the Services whose endpoints that may change.
  @discardableResult
  public mutating func insert(_ object: KubernetesObject, source: ObjectSource = ObjectSource()) -> Set<NamespacedName>
  {
    let affected = remove(object.reference)
    let name = object.reference.name
    switch object {
    case .service(let object):
      services[name] = StoredObject(object, source: source)
      if !object.spec.selector.isEmpty { selectingServices[name.namespace, default: []].insert(name) }
    case .pod(let object):
      pods[name] = StoredObject(object, source: source)
      podLabels[name.namespace, default: LabelIndex()].insert(name, object.metadata.labels)
    case .endpointSlice(let object):
      endpointSlices[name] = StoredObject(object, source: source)
      if let service = object.service { slicesByService[service, default: []].insert(name) }
    case .endpoints(let object): endpoints[name] = StoredObject(object, source: source)
    case .node(let object): nodes[name] = StoredObject(object, source: source)
    case .namespace(let object): namespaces[name] = StoredObject(object, source: source)
    case .ipAddressPool(let object): ipAddressPools[name] = StoredObject(object, source: source)
    case .l2Advertisement(let object): l2Advertisements[name] = StoredObject(object, source: source)
    }
    return affected.union(services(touchedBy: object))
  }

  /// Takes an object out; returns the Services whose endpoints that may change.
  @discardableResult
  public mutating func remove(_ reference: ObjectReference) -> Set<NamespacedName> {
    guard let old = object(reference) else { return [] }
    let name = reference.name
    // Asked before the Pod is gone: the first and last Pod of a namespace touch every Service in it.
    let affected = services(touchedBy: old)
    switch old {
    case .service:
      services[name] = nil
      selectingServices[name.namespace]?.remove(name)
    case .pod(let pod):
      pods[name] = nil
      podLabels[name.namespace]?.remove(name, pod.metadata.labels)
      if podLabels[name.namespace]?.isEmpty == true { podLabels[name.namespace] = nil }
    case .endpointSlice(let slice):
      endpointSlices[name] = nil
      if let service = slice.service {
        slicesByService[service]?.remove(name)
        if slicesByService[service]?.isEmpty == true { slicesByService[service] = nil }
      }
    case .endpoints: endpoints[name] = nil
    case .node: nodes[name] = nil
    case .namespace: namespaces[name] = nil
    case .ipAddressPool: ipAddressPools[name] = nil
    case .l2Advertisement: l2Advertisements[name] = nil
    }
    return affected
  }

  /// The object meant, of whatever kind.
  public func object(_ reference: ObjectReference) -> KubernetesObject? {
    let name = reference.name
    return switch reference.kind {
    case .service: services[name].map { .service($0.object) }
    case .pod: pods[name].map { .pod($0.object) }
    case .endpointSlice: endpointSlices[name].map { .endpointSlice($0.object) }
    case .endpoints: endpoints[name].map { .endpoints($0.object) }
    case .node: nodes[name].map { .node($0.object) }
    case .namespace: namespaces[name].map { .namespace($0.object) }
    case .ipAddressPool: ipAddressPools[name].map { .ipAddressPool($0.object) }
    case .l2Advertisement: l2Advertisements[name].map { .l2Advertisement($0.object) }
    }
  }

  /// Where the object meant was read; nil where there is none.
  public func source(_ reference: ObjectReference) -> ObjectSource? {
    let name = reference.name
    return switch reference.kind {
    case .service: services[name]?.source
    case .pod: pods[name]?.source
    case .endpointSlice: endpointSlices[name]?.source
    case .endpoints: endpoints[name]?.source
    case .node: nodes[name]?.source
    case .namespace: namespaces[name]?.source
    case .ipAddressPool: ipAddressPools[name]?.source
    case .l2Advertisement: l2Advertisements[name]?.source
    }
  }

  /// How many objects there are, of all kinds.
  public var count: Int {
    services.count + pods.count + endpointSlices.count + endpoints.count + nodes.count + namespaces.count
      + ipAddressPools.count + l2Advertisements.count
  }

  /// The slices that name `service`, by name.
  public func endpointSlices(of service: NamespacedName) -> [EndpointSlice] {
    guard let names = slicesByService[service] else { return [] }
    return names.sorted().compactMap { endpointSlices[$0]?.object }
  }

  /// The Pods of `namespace` that carry all labels of `selector`, by name. An empty selector chooses none.
  public func pods(in namespace: String, selectedBy selector: [String: String]) -> [Pod] {
    guard !selector.isEmpty, let index = podLabels[namespace] else { return [] }
    return index.candidates(selector).compactMap { name in
      guard let pod = pods[name]?.object else { return nil }
      return selector.allSatisfy { pod.metadata.labels[$0.key] == $0.value } ? pod : nil
    }.sorted { $0.metadata.name < $1.metadata.name }
  }

  /// All Pods of `namespace`, by name.
  public func pods(in namespace: String) -> [Pod] {
    (podLabels[namespace]?.names ?? []).sorted().compactMap { pods[$0]?.object }
  }

  /// Whether any Pod of `namespace` is known.
  public func hasPods(in namespace: String) -> Bool { podLabels[namespace] != nil }

  // Services whose endpoints depend on `object`, as the store is now.
  private func services(touchedBy object: KubernetesObject) -> Set<NamespacedName> {
    let name = object.reference.name
    switch object {
    case .service, .endpoints: return [name]
    case .endpointSlice(let slice): return slice.service.map { [$0] } ?? []
    case .pod(let pod):
      let services = selectingServices[name.namespace] ?? []
      // Whether there is any Pod decides between Pods and NodePorts.
      if podLabels[name.namespace]?.names.count == 1 { return services }
      return services.filter { service in
        self.services[service]?.object.spec.selector.allSatisfy { pod.metadata.labels[$0.key] == $0.value } ?? false
      }
    // Zones come from nodes, and so do NodePort targets.
    case .node: return Set(services.keys)
    case .namespace, .ipAddressPool, .l2Advertisement: return []
    }
  }
}
