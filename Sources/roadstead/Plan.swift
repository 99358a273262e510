import Addresses
import Announcing
import Balancing
import Kubernetes

/// What the manifests come to: each Service with its addresses, its endpoints and the ports to serve.
///
/// A plain value; what `run` serves, `check` checks and `explain` explains.
struct Plan: Sendable {
  var services: [PlannedService] = []
  var pools: [AddressPool] = []
  var usage: [PoolUsage] = []
  /// What is wrong beyond a single object: pools that overlap, Services without an address.
  var problems: [ManifestProblem] = []
  /// What changed in the allocation since the last plan.
  var events: [AllocationEvent] = []

  /// The ports of all Services, in order.
  var ports: [ServicePort] { services.flatMap { $0.ports.compactMap(\.served) } }
}

/// One Service as it is going to be served.
struct PlannedService: Sendable {
  let service: Service
  let source: ObjectSource
  let settings: ServiceSettings
  let outcome: AllocationOutcome
  let target: ServiceEndpoints
  /// One for each port of the Service, in its order.
  let ports: [PlannedPort]

  var name: ServiceName { ServiceName(service.metadata.namespacedName) }

  /// What it waits for; nil when it has all it asks for.
  var waiting: String? { outcome.lacks?.text(for: name) }
}

/// One port of a Service.
struct PlannedPort: Sendable {
  let resolved: PortEndpoints
  /// What the data plane is given; nil while the Service has no address, or where the protocol is not served.
  let served: ServicePort?
  /// Why it cannot be served at all.
  let problem: String?
}

extension ServiceName {
  init(_ name: NamespacedName) { self.init(namespace: name.namespace, name: name.name) }
}
