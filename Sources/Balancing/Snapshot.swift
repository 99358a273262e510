/// All that the data plane is to serve, at one moment. Immutable; handed to every shard.
public struct Snapshot: Sendable {
  /// In the order of the Services, each Service's ports in theirs.
  public let ports: [ServedPort]

  init(ports: [ServedPort]) { self.ports = ports }
}

/// Makes each ``Snapshot`` from plain ports, and carries over what must outlive it: the step of
/// round-robin, connection counts, counters.
///
/// Owned by the control plane; one for a process.
public struct SnapshotBuilder: Sendable {
  private struct Key: Hashable {
    let service: String
    let transport: TransportProtocol
    let port: UInt16
    /// 0, or the how many-eth of one snapshot: `--listen` on several addresses with one port.
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
  private var kept: [Key: Kept] = [:]

  /// Counters are made for `shardCount` shards, `reasonCount` close reasons and `dropCount` drop reasons.
  public init(shardCount: Int, reasonCount: Int, dropCount: Int = 0) {
    self.shardCount = shardCount
    self.reasonCount = reasonCount
    self.dropCount = dropCount
  }

  /// The snapshot of `ports`. A port that is equal to the last one keeps its ``ServedPort``, by identity.
  ///
  /// Ports without an address to listen on are left out.
  public mutating func build(_ ports: [ServicePort]) -> Snapshot {
    var next: [Key: Kept] = [:]
    next.reserveCapacity(ports.count)
    var served: [ServedPort] = []
    served.reserveCapacity(ports.count)
    for port in ports {
      guard let listen = port.listen.first else { continue }
      var key = Key(service: port.service, transport: port.transport, port: listen.port)
      while next[key] != nil { key.ordinal += 1 }
      let entry = keep(port, previous: kept[key])
      next[key] = entry
      served.append(entry.served)
    }
    kept = next
    return Snapshot(ports: served)
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
