import TestKit
import Testing

@testable import Kubernetes

/// The watcher against a server that compacts, breaks and lies: at the end it knows what the server knows.
@Suite(.timeLimit(.minutes(2))) struct WatchSimulationTests {
  private static let kinds: Set<ObjectKind> = [.service, .endpointSlice, .namespace]

  private static func text(_ kind: ObjectKind, _ name: String, _ version: Int, _ random: inout SeededRandom) -> String {
    let meta = #""name":"\#(name)","resourceVersion":"\#(version)","#
    switch kind {
    case .service: return APITexts.service(name, version, port: Int.random(in: 1...3, using: &random))
    case .endpointSlice:
      return """
        {"metadata":{\(meta)"namespace":"default","labels":{"kubernetes.io/service-name":"s1"}},"addressType":"IPv4",\
        "endpoints":[{"addresses":["10.0.0.\(Int.random(in: 1...9, using: &random))"]}],"ports":[{"port":80}]}
        """
    default: return #"{"metadata":{\#(meta)"labels":{"x":"\#(Int.random(in: 0...2, using: &random))"}}}"#
    }
  }

  /// What a consumer makes of `changes` alone.
  private actor Mirror {
    var objects: [ObjectReference: KubernetesObject] = [:]
    var snapshots = 0

    func take(_ snapshot: ClusterSnapshot) {
      snapshots += 1
      for reference in snapshot.changes { objects[reference] = snapshot.store.object(reference) }
      let anchor = ObjectReference(.service, NamespacedName(name: "anchor"))
      #expect(snapshot.store.object(anchor) != nil, "what nobody touched must not go")
      #expect(snapshots == 1 || !snapshot.changes.contains(anchor), "what nobody touched must not change")
    }

    /// Whether it is `store`, but for versions alone.
    func agrees(with store: ObjectStore) -> Bool {
      objects.count == store.count && objects.allSatisfy { store.object($0.key)?.isSame(as: $0.value) == true }
    }
  }

  private static func matches(_ store: ObjectStore, _ server: ModelServer) -> Bool {
    kinds.allSatisfy { kind in
      let expected = server.objects(kind)
      let names = store.names(of: kind)
      return names.count == expected.count
        && names.allSatisfy { name in
          store.object(ObjectReference(kind, name))?.metadata.resourceVersion
            == expected[name.name].map { "\($0.version)" }
        }
    }
  }

  @Test("in the end the store is the server's, and the changes told were all there were", arguments: 0..<4)
  func simulation(round: Int) async {
    let seed = testSeed() &+ UInt64(round)
    var random = SeededRandom(seed: seed)
    let server = ModelServer(seed: seed ^ 1)
    server.put(.service, "anchor") { APITexts.service("anchor", $0) }
    for kind in Self.kinds {
      for index in 0..<20 { server.put(kind, "s\(index)") { Self.text(kind, "s\(index)", $0, &random) } }
    }
    let watcher = ClusterWatcher(
      client: APIClient(transport: server, server: "http://test"), kinds: Self.kinds, clock: TestClock().clock,
      seed: seed)
    let mirror = Mirror()
    await watcher.start()
    let pace = random.next()
    let consumer = Task {
      var random = SeededRandom(seed: pace)
      while let snapshot = await watcher.next() {
        if snapshot.isSynced { await mirror.take(snapshot) }
        if random.chance(30) { try? await Task.sleep(for: .milliseconds(2)) }
      }
    }
    server.setFaults(10)
    for _ in 0..<600 {
      let kind = random.pick(Self.kinds.sorted())
      let name = "s\(Int.random(in: 0..<40, using: &random))"
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<55: server.put(kind, name) { Self.text(kind, name, $0, &random) }
      case 55..<85: server.delete(kind, name)
      case 85..<88: server.compact()
      case 88..<90:
        server.setDown(true)
        try? await Task.sleep(for: .milliseconds(2))
        server.setDown(false)
      default: try? await Task.sleep(for: .microseconds(500))
      }
    }
    server.setFaults(0)
    await holds("the store is the server's") { Self.matches(await watcher.known, server) }
    let known = await watcher.known
    await holds("the consumer has seen all") { await mirror.agrees(with: known) }
    await watcher.stop()
    await consumer.value
    #expect(await mirror.snapshots > 1)
  }
}
