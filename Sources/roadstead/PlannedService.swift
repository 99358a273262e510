import Addresses
import Announcing
import Balancing
import Kubernetes

/// One Service as it is going to be served. Immutable, so that plans share those that stay as they are.
final class PlannedService: Sendable {
  let name: ServiceName
  let service: Service
  let source: ObjectSource
  let settings: ServiceSettings
  let outcome: AllocationOutcome
  let target: ServiceEndpoints
  /// One for each port of the Service, in its order.
  let ports: [PlannedPort]

  init(
    _ stored: StoredObject<Service>, settings: ServiceSettings, outcome: AllocationOutcome, target: ServiceEndpoints,
    ports: [PlannedPort]
  ) {
    name = ServiceName(stored.object.metadata.namespacedName)
    service = stored.object
    source = stored.source
    self.settings = settings
    self.outcome = outcome
    self.target = target
    self.ports = ports
  }

  /// What it has.
  var addresses: [IPAddress] { outcome.addresses.map(\.address) }

  /// What the data plane is given.
  var servedPorts: [ServicePort] { ports.compactMap(\.served) }

  /// What it waits for; nil when it has all it asks for.
  var waiting: String? { outcome.lacks?.text(for: name) }

  /// Whether there are ``problems``.
  var hasProblems: Bool { outcome.lacks != nil || ports.contains { $0.problem != nil } }

  /// What its author should know.
  var problems: [ManifestProblem] {
    func problem(_ severity: ManifestProblem.Severity, _ field: String, _ message: String) -> ManifestProblem {
      ManifestProblem(
        severity, file: source.file, line: source.line, kind: "Service", namespace: name.namespace, name: name.name,
        field: field, message: message)
    }
    var problems: [ManifestProblem] = []
    if let waiting {
      // One that prefers two families and has one is served as it asked to be.
      problems.append(problem(outcome.addresses.isEmpty ? .error : .warning, "", waiting))
    }
    for (index, port) in ports.enumerated() {
      if let text = port.problem { problems.append(problem(.error, "spec.ports[\(index)]", text)) }
    }
    return problems
  }

  /// Whether all is the same that decides on announcing an address: endpoints count only as some or none.
  func isAnnounced(like other: PlannedService) -> Bool {
    service.metadata.labels == other.service.metadata.labels && outcome.addresses == other.outcome.addresses
      && ports.elementsEqual(other.ports) { $0.isAnnounced(like: $1) }
  }
}
