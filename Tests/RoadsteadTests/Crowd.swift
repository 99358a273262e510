import Addresses
import Kubernetes

/// Many Services, each with one EndpointSlice, as a source of objects would deliver them.
struct Crowd {
  private(set) var store = ObjectStore()
  private var changes: Set<ObjectReference> = []
  private var affected: Set<NamespacedName> = []
  private let endpoints: Int

  /// `count` Services, and a pool of loopback addresses that has room for all.
  init(services count: Int, endpoints: Int = 10, pool: String = "127.32.0.1-127.47.255.254") throws {
    self.endpoints = endpoints
    let pool = try IPRange(parsing: pool)
    insert(.ipAddressPool(IPAddressPool(metadata: ObjectMeta(name: "crowd"), addresses: [pool])))
    insert(.l2Advertisement(L2Advertisement(metadata: ObjectMeta(name: "crowd"))))
    for index in 0..<count {
      insertService(index)
      insertSlice(index)
    }
  }

  /// Service `index`, with `port`.
  mutating func insertService(_ index: Int, port: UInt16 = 8080) {
    let spec = Service.Spec(type: .loadBalancer, ports: [Service.Port(name: "http", port: port)])
    insert(.service(Service(metadata: ObjectMeta(name: Self.name(index)), spec: spec)))
  }

  /// The slice of Service `index`; the addresses of its endpoints depend on `edition`.
  mutating func insertSlice(_ index: Int, edition: Int = 0, isEmpty: Bool = false) {
    let labels = [EndpointSlice.serviceNameLabel: Self.name(index)]
    var slice = EndpointSlice(metadata: ObjectMeta(name: "\(Self.name(index))-abcde", labels: labels))
    slice.ports = [EndpointPort(name: "http", port: 80)]
    let first = 10 << 24 + UInt32(index) << 8 + UInt32(edition % 200)
    slice.endpoints = (0..<(isEmpty ? 0 : endpoints)).map { place in
      EndpointSlice.Endpoint(
        addresses: [IPAddress(v4: first + UInt32(place))], ready: true, nodeName: "node-\(place)", zone: "zone-a",
        targetRef: TargetReference(kind: "Pod", name: "\(Self.name(index))-\(edition)-\(place)"))
    }
    insert(.endpointSlice(slice))
  }

  mutating func removeService(_ index: Int) {
    let reference = ObjectReference(.service, NamespacedName(name: Self.name(index)))
    affected.formUnion(store.remove(reference))
    changes.insert(reference)
  }

  /// All that is there, and what changed since the last call.
  mutating func snapshot() -> ManifestSnapshot {
    defer { (changes, affected) = ([], []) }
    return ManifestSnapshot(store: store, changes: changes, affectedServices: affected)
  }

  private mutating func insert(_ object: KubernetesObject) {
    affected.formUnion(store.insert(object, source: ObjectSource(file: "crowd.yaml", line: 1)))
    changes.insert(object.reference)
  }

  private static func name(_ index: Int) -> String { "service-\(index)" }
}
