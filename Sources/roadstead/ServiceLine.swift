import Addresses
import Balancing
import Glibc

/// What `run` prints for each Service that is up.
enum ServiceLine {
  /// `default/hostname-svc-lb  10.101.0.50  8080/TCP → 3 endpoints`; nil while nothing of it is listened on.
  static func text(_ service: PlannedService, listening: Set<ListenAddress>) -> String? {
    let up = service.ports.compactMap(\.served).filter { $0.listenAddresses.contains(where: listening.contains) }
    guard !up.isEmpty else { return nil }
    let addresses = service.outcome.addresses.map(\.address.description).joined(separator: ",")
    // Ports with equally many endpoints share a mention.
    var groups: [(ports: [String], endpoints: Int)] = []
    for port in up {
      let text = "\(port.listen[0].port)/\(port.transport.rawValue)"
      if let last = groups.indices.last, groups[last].endpoints == port.endpoints.count {
        groups[last].ports.append(text)
      } else {
        groups.append(([text], port.endpoints.count))
      }
    }
    let ports = groups.map { "\($0.ports.joined(separator: ",")) → \(count($0.endpoints))" }
    return "\(service.name)  \(addresses)  \(ports.joined(separator: "; "))"
  }

  /// The same for what `--listen` asked for: `127.0.0.1:8080/TCP → 2 endpoints`.
  static func text(_ port: ServicePort) -> String {
    "\(port.listen.map(\.description).joined(separator: ","))/\(port.transport.rawValue) → \(count(port.endpoints.count))"
  }

  private static func count(_ endpoints: Int) -> String { "\(endpoints) endpoint\(endpoints == 1 ? "" : "s")" }
}

/// Lines are to be seen when they are printed, also in a pipe.
func flushStandardOutput() { fflush(nil) }
