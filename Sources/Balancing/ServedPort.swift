import Addresses

/// A ``ServicePort`` as the shards run it: its endpoints with their live counts, and the selector over them.
///
/// Immutable; a changed port is a new one that shares the old one's counts.
@safe public final class ServedPort: Sendable {
  public let port: ServicePort
  public let endpoints: [EndpointState]
  public let selector: any Selector
  public let counters: PortCounters

  init(_ port: ServicePort, endpoints: [EndpointState], rotation: Rotation, counters: PortCounters) {
    self.port = port
    self.endpoints = endpoints
    self.counters = counters
    selector =
      switch port.balance {
      case .roundRobin: RoundRobin(endpoints: endpoints, rotation: rotation)
      case .leastConnections: LeastConnections(endpoints: endpoints, rotation: rotation)
      case .randomTwoChoices: RandomTwoChoices(endpoints: endpoints)
      case .maglev: Maglev(endpoints: endpoints)
      }
  }
}
