import Balancing
import Kubernetes

/// One port of a Service as it is going to be served.
struct PlannedPort: Sendable {
  let resolved: PortEndpoints
  /// What the data plane is given; nil while the Service has no address, or where the protocol is not served.
  let served: ServicePort?
  /// Why it cannot be served at all.
  let problem: String?

  /// Whether all is the same that decides on announcing its addresses: endpoints count only as some or none.
  func isAnnounced(like other: PlannedPort) -> Bool {
    guard let a = served, let b = other.served else { return served == nil && other.served == nil }
    return a.transport == b.transport && a.listen == b.listen && a.endpoints.isEmpty == b.endpoints.isEmpty
  }
}
