import Addresses
import Announcing
import Balancing
import Proxy
import TestKit
import Testing

@testable import Kubernetes
@testable import roadstead

@Suite struct PlannerTests {
  @Test("after any edits, planning what changed gives what planning everything gives")
  func sameAsWhole() throws {
    let seed = testSeed()
    var random = SeededRandom(seed: seed)
    var edits = RandomEdits()
    var (partly, wholly) = (Round(), Round())
    for step in 0..<400 {
      for _ in 0..<random.pick([0, 1, 1, 2, 5]) { try edits.edit(&random) }
      let changes = edits.take()
      let now = Double(step) * random.pick([0.1, 3, 30])
      partly.plan(changes, now: now)
      wholly.plan(ObjectChanges(whole: changes.store), now: now)
      try #require(partly.difference(wholly) == nil, "step \(step) of ROADSTEAD_SEED=\(seed)")
      try #require(partly.isBuiltOfPlan)
    }
  }

  @Test("an endpoint that changes leaves everybody else's plan as it is, by identity")
  func others() throws {
    var crowd = try Crowd(services: 3)
    var planner = Planner(resolver: EndpointResolver())
    let first = planner.plan(ObjectChanges(crowd.snapshot()), now: 0)
    #expect(first.changes.services.count == 3 && first.changes.addresses == nil)
    crowd.insertSlice(1, edition: 7)
    let second = planner.plan(ObjectChanges(crowd.snapshot()), now: 1)
    #expect(second.changes.services.map(\.name) == ["service-1"])
    #expect(second.changes.addresses == [] && !second.changes.isAllocation)
    #expect(zip(first.plan.services, second.plan.services).map { $0 === $1 } == [true, false, true])
    crowd.insertSlice(1, isEmpty: true)
    let third = planner.plan(ObjectChanges(crowd.snapshot()), now: 2)
    #expect(third.changes.addresses == Set(third.plan.services[1].addresses))
    crowd.removeService(1)
    let last = planner.plan(ObjectChanges(crowd.snapshot()), now: 3)
    #expect(last.changes.addresses == third.changes.addresses && last.changes.isAllocation)
    #expect(last.plan.services.map(\.name.name) == ["service-0", "service-2"])
  }
}

/// A planner and what follows it, each stage given only what the planner says has changed.
private struct Round {
  private var planner = Planner(resolver: EndpointResolver())
  private var plan = Plan()
  private var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
  private var announced = AnnouncementPlan()
  private var lines: [ServiceName: String] = [:]

  mutating func plan(_ objects: ObjectChanges, now: Double) {
    let changes: PlanChanges
    (plan, changes) = planner.plan(objects, now: now)
    for name in changes.services {
      builder.update(name.description, ports: plan.service(name)?.servedPorts ?? [])
    }
    var report = DataPlane.Report()
    report.listening = Set(plan.ports.flatMap(\.listenAddresses))
    for name in changes.services {
      lines[name] = plan.service(name).flatMap { ServiceLine.text($0, listening: report.listening) }
    }
    announced = AnnouncementPlanner(nodeName: "n1").plan(
      plan, store: objects.store, at: .init(served: report, before: announced),
      only: objects.isWhole ? nil : changes.addresses)
  }

  /// What is not the same in the two; nil: nothing.
  func difference(_ other: Round) -> String? {
    func differs<T: Equatable>(_ what: String, _ value: (Round) -> T) -> String? {
      let (mine, others) = (value(self), value(other))
      return mine == others ? nil : "\(what): \(mine), and not \(others)"
    }
    let differences: [String?] = [
      differs("names") { $0.plan.services.map(\.name) }, differs("services") { $0.plan.services.map(\.service) },
      differs("sources") { $0.plan.services.map(\.source) }, differs("settings") { $0.plan.services.map(\.settings) },
      differs("outcomes") { $0.plan.services.map(\.outcome) }, differs("targets") { $0.plan.services.map(\.target) },
      differs("port problems") { $0.plan.services.map { $0.ports.map(\.problem) } },
      differs("pools") { $0.plan.pools }, differs("usage") { $0.plan.usage },
      differs("problems") { $0.plan.problems.map(\.description) },
      differs("events") { $0.plan.events.map(\.description) }, differs("holders") { $0.plan.holders },
      differs("assignments") { $0.planner.assignments }, differs("ports") { $0.builder.snapshot.ports.map(\.port) },
      differs("lines") { $0.lines }, differs("announcements") { $0.announced.verdicts.mapValues(\.text) },
    ]
    return differences.compactMap(\.self).first
  }

  /// Whether the ports built one Service after the other are those of the plan.
  var isBuiltOfPlan: Bool {
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    return builder.build(plan.ports).ports.map(\.port) == self.builder.snapshot.ports.map(\.port)
  }
}

/// Objects of all kinds that come, go, move and change, few enough that they meet.
private struct RandomEdits {
  private var store = ObjectStore()
  private var changes: Set<ObjectReference> = []
  private var affected: Set<NamespacedName> = []
  private var there: Set<ObjectReference> = []

  mutating func take() -> ObjectChanges {
    defer { (changes, affected) = ([], []) }
    return ObjectChanges(ManifestSnapshot(store: store, changes: changes, affectedServices: affected))
  }

  mutating func edit(_ random: inout SeededRandom) throws {
    if random.chance(25), let gone = there.sorted().randomElement(using: &random) {
      affected.formUnion(store.remove(gone))
      changes.insert(gone)
      there.remove(gone)
      return
    }
    let text = Self.object(&random)
    let content = try ManifestContent(Array(text.utf8), file: "random.yaml")
    for entry in content.entries {
      let reference = entry.object.reference
      let isSame = store.object(reference) == entry.object
      let services = store.insert(
        entry.object, source: ObjectSource(file: "random.yaml", line: Int.random(in: 1...9, using: &random)))
      if !isSame { affected.formUnion(services) }
      changes.insert(reference)
      there.insert(reference)
    }
  }

  private static func object(_ random: inout SeededRandom) -> String {
    let space = random.pick(["blue", "red"])
    let name = random.pick(["a", "b", "c", "d", "e"])
    func meta(_ name: String, _ more: String = "", isNamespaced: Bool = true) -> String {
      "metadata: {name: \(name)\(isNamespaced ? ", namespace: \(space)" : "")\(more.isEmpty ? "" : ", \(more)")}"
    }
    switch Int.random(in: 0..<12, using: &random) {
    case 0...3:
      let annotations = random.pick([
        "", "metallb.io/loadBalancerIPs: 10.101.0.2", "metallb.io/address-pool: p1", "metallb.io/allow-shared-ip: s",
        "roadstead.dev/balance: maglev", "roadstead.dev/target: node-port",
      ])
      let labels = random.pick(["", "tier: front"])
      let ports = random.pick([
        "{port: 80}", "{name: x, port: 81}, {name: y, port: 82, protocol: UDP}", "{port: 80, protocol: SCTP}",
      ])
      let type = random.pick(["LoadBalancer", "LoadBalancer", "LoadBalancer", "ClusterIP"])
      return """
        {apiVersion: v1, kind: Service, \(meta(name, "labels: {\(labels)}, annotations: {\(annotations)}")),
         spec: {type: \(type), selector: {app: \(random.pick(["a", "b"]))}, ports: [\(ports)]}}
        """
    case 4, 5:
      let ready = random.pick(["true", "false"])
      return """
        {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4,
         \(meta("\(name)-\(random.pick(["1", "2"]))", "labels: {kubernetes.io/service-name: \(name)}")),
         ports: [{name: \(random.pick(["\"\"", "x"])), port: 8080}],
         endpoints: [{addresses: [10.0.0.\(Int.random(in: 1...9, using: &random))], conditions: {ready: \(ready)}}]}
        """
    case 6, 7:
      return """
        {apiVersion: v1, kind: Pod, \(meta(name, "labels: {app: \(random.pick(["a", "b"]))}")),
         status: {phase: Running, podIP: 10.0.1.\(Int.random(in: 1...9, using: &random)),
          conditions: [{type: Ready, status: "\(random.pick(["True", "False"]))"}]}}
        """
    case 8:
      let label = random.pick(["", "node.kubernetes.io/exclude-from-external-load-balancers: ''"])
      return """
        {apiVersion: v1, kind: Node, \(meta(random.pick(["n1", "n2"]), "labels: {\(label)}", isNamespaced: false)),
         status: {addresses: [{type: InternalIP, address: 10.0.2.1}]}}
        """
    case 9:
      return """
        {apiVersion: v1, kind: Namespace,
         \(meta(space, "labels: {colour: \(random.pick(["warm", "cold"]))}", isNamespaced: false))}
        """
    case 10:
      let (pool, range) = random.pick([
        ("p1", "10.101.0.1-10.101.0.3"), ("p1", "10.101.0.1-10.101.0.6"), ("p2", "10.101.0.5-10.101.0.8"),
      ])
      let allocation = random.pick([
        "", ", serviceAllocation: {namespaceSelectors: [{matchLabels: {colour: warm}}]}",
        ", serviceAllocation: {serviceSelectors: [{matchLabels: {tier: front}}]}",
      ])
      return """
        {apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: \(pool)},
         spec: {addresses: [\(range)]\(allocation)}}
        """
    default:
      let spec = random.pick(["", "ipAddressPools: [p1]", "serviceSelectors: [{matchLabels: {tier: front}}]"])
      return """
        {apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: \(name)}, spec: {\(spec)}}
        """
    }
  }
}
