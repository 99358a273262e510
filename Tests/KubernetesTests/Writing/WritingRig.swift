import Addresses
import Synchronization
import Testing

@testable import Kubernetes

/// A ``ServiceWriter`` with its server and clock.
final class WritingRig: Sendable {
  let server = WritingServer()
  let clock = ManualClock()
  let events: EventWriter
  let writer: ServiceWriter
  private let log = Lines()

  var lines: [String] { log.lines.withLock { $0 } }

  init(loadBalancerClass: String? = nil, isPaused: Bool = false) {
    let client = APIClient(transport: server, server: WritingServer.prefix)
    let log = log
    events = EventWriter(client: client, identity: "node-1", clock: clock.writerClock, log: { log.add($1) })
    writer = ServiceWriter(
      client: client, events: events, loadBalancerClass: loadBalancerClass, isPaused: isPaused,
      clock: clock.writerClock, log: { log.add($1) })
  }

  private final class Lines: Sendable {
    let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
  }

  /// Tells the writer what is wanted, with the store as it is at the server unless another is given, and lets it work.
  func write(_ reports: [ServiceReport], store: ObjectStore? = nil) async throws {
    clock.advance(ServiceWriter.comparePause)
    await writer.write(reports, store: store ?? server.store)
    try await settle()
  }

  func advance(_ seconds: Double) async throws {
    clock.advance(seconds)
    try await settle()
  }

  /// Waits until nothing happens before time passes.
  func settle() async throws {
    try await until {
      guard await self.writer.isIdle else { return false }
      return await self.events.isIdle
    }
  }

  func until(_ condition: () async -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while await !condition() {
      try #require(ContinuousClock.now < deadline, "not within 20 s", sourceLocation: sourceLocation)
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  /// `IP/MODE` of each address.
  func ingress(_ name: String = "web") -> [String] {
    guard case .list(let ingress)? = server.object(name)["status"]?["loadBalancer"]?["ingress"] else { return [] }
    return ingress.map { "\($0["ip"]?.text ?? "-")/\($0["ipMode"]?.text ?? "-")" }
  }

  func conditions(_ name: String = "web") -> [String] {
    guard case .list(let conditions)? = server.object(name)["status"]?["conditions"] else { return [] }
    return conditions.map { "\($0["type"]?.text ?? "-")=\($0["status"]?.text ?? "-")" }
  }

  func pool(_ name: String = "web") -> String? {
    server.object(name)["metadata"]?["annotations"]?[Service.poolAnnotation]?.text
  }
}

/// A report as most are.
func report(
  _ name: String = "web", _ addresses: [String] = ["10.101.0.50"], pool: String? = "lab", isAnnounced: Bool = true,
  events: [ServiceReport.Event] = []
) -> ServiceReport {
  ServiceReport(
    name: NamespacedName(name: name), addresses: addresses.compactMap { IPAddress($0) },
    ports: [.init(port: 80, transport: "TCP")],
    conditions: [
      .init(
        type: "roadstead.dev/Announced", isTrue: isAnnounced, reason: isAnnounced ? "Announced" : "NoEndpoints",
        message: "it is so")
    ], pool: pool, events: events)
}

/// The addresses of a status.
func ingress(_ ip: String, mode: String? = nil) -> JSONValue {
  var one: [String: JSONValue] = ["ip": .string(ip)]
  if let mode { one["ipMode"] = .string(mode) }
  return ["status": ["loadBalancer": ["ingress": .list([.map(one)])]]]
}
