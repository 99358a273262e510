import Synchronization

@testable import Kubernetes

/// A watcher on a transport, with lines that it logged.
struct WatchRig {
  let transport: ScriptedTransport
  let clock: TestClock
  let watcher: ClusterWatcher
  private let lines: Log

  private final class Log: Sendable { let lines = Mutex<[String]>([]) }

  init(_ transport: ScriptedTransport, kinds: Set<ObjectKind> = [.service], isInstant: Bool = true) {
    self.transport = transport
    let lines = Log()
    self.lines = lines
    clock = TestClock(isInstant: isInstant)
    watcher = ClusterWatcher(
      client: APIClient(transport: transport, server: "http://test"), kinds: kinds, clock: clock.clock, seed: 1,
      log: { line in lines.lines.withLock { $0.append(line) } })
  }

  init(_ script: [ScriptedTransport.Answer], kinds: Set<ObjectKind> = [.service], isInstant: Bool = true) {
    self.init(ScriptedTransport(script), kinds: kinds, isInstant: isInstant)
  }

  var log: [String] { lines.lines.withLock { $0 } }

  /// Snapshots until one satisfies `condition`: the last, with all changes since the call.
  func snapshot(until condition: (ClusterSnapshot) -> Bool) async -> ClusterSnapshot? {
    var changes: Set<ObjectReference> = []
    while var snapshot = await watcher.next() {
      changes.formUnion(snapshot.changes)
      snapshot.changes = changes
      if condition(snapshot) { return snapshot }
    }
    return nil
  }
}

extension ClusterSnapshot {
  /// Ports of the Services, by name.
  var ports: [String: UInt16] {
    Dictionary(uniqueKeysWithValues: store.services.map { ($0.key.name, $0.value.object.spec.ports[0].port) })
  }
  var changedNames: Set<String> { Set(changes.map(\.name.name)) }
}
