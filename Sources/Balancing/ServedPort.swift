import Addresses

/// A ``ServicePort`` as the shards run it: its endpoints with their live counts, and the selector over them.
///
/// Immutable; a changed port is a new one that shares the old one's counts.
@safe public final class ServedPort: Sendable {
  public let port: ServicePort
  /// Its ``ServicePort/listenAddresses``.
  public let addresses: [ListenAddress]
  public let endpoints: [EndpointState]
  /// Endpoints that take no new traffic any more, and did so until this was made or had connections then.
  public let formerEndpoints: [EndpointState]
  /// What passed to endpoints before those.
  private let departed: EndpointState.Traffic
  public let selector: any Selector
  public let counters: PortCounters

  init(
    _ port: ServicePort, endpoints: [EndpointState], formerEndpoints: [EndpointState],
    departed: EndpointState.Traffic, rotation: Rotation, counters: PortCounters
  ) {
    self.port = port
    addresses = port.listenAddresses
    self.endpoints = endpoints
    self.formerEndpoints = formerEndpoints
    self.departed = departed
    self.counters = counters
    selector =
      switch port.balance {
      case .roundRobin: RoundRobin(endpoints: endpoints, rotation: rotation)
      case .leastConnections: LeastConnections(endpoints: endpoints, rotation: rotation)
      case .randomTwoChoices: RandomTwoChoices(endpoints: endpoints)
      case .maglev: Maglev(endpoints: endpoints)
      }
  }

  /// What passed to all endpoints since the start, also to those that are gone. Any thread may ask.
  public var traffic: EndpointState.Traffic {
    var sum = departed
    // One endpoint can be listed twice and is counted once.
    var seen: Set<ObjectIdentifier> = []
    for state in endpoints + formerEndpoints where seen.insert(ObjectIdentifier(state)).inserted {
      sum += state.traffic
    }
    return sum
  }
}
