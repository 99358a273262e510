/// Makes each ``Snapshot`` from plain ports, and carries over what must outlive it: the step of
/// round-robin, connection counts, counters.
///
/// Owned by the control plane; one for a process.
public struct SnapshotBuilder: Sendable {
  private struct Key: Hashable {
    let transport: TransportProtocol
    let port: UInt16
    /// 0, or the how many-eth of one Service: `--listen` on several addresses with one port.
    var ordinal = 0
  }

  private struct Kept {
    var served: ServedPort
    let rotation: Rotation
    let counters: PortCounters
    // Also those that left but still have connections, in case they come back.
    var endpoints: [Endpoint: EndpointState]
    var departed: EndpointState.Traffic
  }

  private let shardCount: Int
  private let reasonCount: Int
  private let dropCount: Int
  private var kept: [String: [Key: Kept]] = [:]
  // By the Service's name, each Service's in order.
  private var ports: [ServedPort] = []

  /// Counters are made for `shardCount` shards, `reasonCount` close reasons and `dropCount` drop reasons.
  public init(shardCount: Int, reasonCount: Int, dropCount: Int = 0) {
    self.shardCount = shardCount
    self.reasonCount = reasonCount
    self.dropCount = dropCount
  }

  /// All ports, as the last ``update(_:ports:)`` of each Service has them.
  public var snapshot: Snapshot { Snapshot(ports: ports) }

  /// The snapshot of `ports` and no others.
  public mutating func build(_ ports: [ServicePort]) -> Snapshot {
    let services = Dictionary(grouping: ports, by: \.service)
    for service in kept.keys where services[service] == nil { update(service, ports: []) }
    for (service, ports) in services.sorted(by: { $0.key < $1.key }) { update(service, ports: ports) }
    return snapshot
  }

  /// Gives one Service other ports, and leaves all others' as they are. A port that is equal to the last one keeps its
  /// ``ServedPort``, by identity; one without an address to listen on is left out.
  public mutating func update(_ service: String, ports: [ServicePort]) {
    let previous = kept[service] ?? [:]
    var next: [Key: Kept] = [:]
    var served: [ServedPort] = []
    for port in ports {
      guard let listen = port.listen.first else { continue }
      var key = Key(transport: port.transport, port: listen.port)
      while next[key] != nil { key.ordinal += 1 }
      let entry = keep(port, previous: previous[key])
      next[key] = entry
      served.append(entry.served)
    }
    kept[service] = next.isEmpty ? nil : next
    let first = self.ports.placeOfFirst(of: service)
    var end = first
    while end < self.ports.count, self.ports[end].port.service == service { end += 1 }
    if !self.ports[first..<end].elementsEqual(served, by: ===) { self.ports.replaceSubrange(first..<end, with: served) }
  }

  private func keep(_ port: ServicePort, previous: Kept?) -> Kept {
    if let previous, previous.served.port == port { return previous }
    let rotation = previous?.rotation ?? Rotation()
    let counters =
      previous?.counters ?? PortCounters(shardCount: shardCount, reasonCount: reasonCount, dropCount: dropCount)
    var states = previous?.endpoints ?? [:]
    let wanted = port.endpoints.prefix(maximumEndpoints).map { endpoint in
      if let state = states[endpoint] { return state }
      let state = EndpointState(endpoint, shardCount: shardCount)
      states[endpoint] = state
      return state
    }
    let names = Set(port.endpoints)
    // Until the shards have the new snapshot they choose from the last one: what was in it is still counted.
    let last = Set(previous?.served.port.endpoints ?? [])
    var departed = previous?.departed ?? EndpointState.Traffic()
    var former: [EndpointState] = []
    for (endpoint, state) in states where !names.contains(endpoint) {
      if last.contains(endpoint) || state.active.load(ordering: .relaxed) > 0 {
        former.append(state)
      } else {
        departed += state.traffic
        states[endpoint] = nil
      }
    }
    former.sort { $0.endpoint.address < $1.endpoint.address }
    let served = ServedPort(
      port, endpoints: wanted, formerEndpoints: former, departed: departed, rotation: rotation, counters: counters)
    return Kept(served: served, rotation: rotation, counters: counters, endpoints: states, departed: departed)
  }
}
