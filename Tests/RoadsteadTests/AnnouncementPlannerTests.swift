import Addresses
import Announcing
import Balancing
import Kubernetes
import Proxy
import Testing

@testable import roadstead

/// Which address is announced where, and why not; with MetalLB's cases for one node.
@Suite struct AnnouncementPlannerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let what: String
    var objects: [String]
    var mode = AnnounceMode.auto
    var node: String?
    let expected: String

    var testDescription: String { what }
  }

  private static let web = Objects.service("web", labels: "app: web, tier: front")
  private static let labelled = Objects.pool(labels: "site: north")
  private static let north = Objects.node("n1", labels: "rack: a")
  private static let onNode = "has nodeSelectors, and"

  static let cases = [
    Case(what: "no advertisement at all", objects: [], expected: "no L2Advertisement selects pool lab"),
    Case(
      what: "one for another pool", objects: [Objects.advertisement("other", "ipAddressPools: [other]")],
      expected: "no L2Advertisement selects pool lab"),
    Case(what: "an empty one is for all pools", objects: [Objects.advertisement("all")], expected: "fitting"),
    Case(
      what: "by the pool's name", objects: [Objects.advertisement("lab", "ipAddressPools: [other, lab]")],
      expected: "fitting"),
    Case(
      what: "by the pool's labels",
      objects: [Objects.advertisement("l", "ipAddressPoolSelectors: [{matchLabels: {site: north}}]")],
      expected: "fitting"),
    Case(
      what: "by the pool's labels, which are others",
      objects: [Objects.advertisement("l", "ipAddressPoolSelectors: [{matchLabels: {site: south}}]")],
      expected: "no L2Advertisement selects pool lab"),
    Case(
      what: "by the name, though the labels are others",
      objects: [
        Objects.advertisement("l", "ipAddressPools: [lab], ipAddressPoolSelectors: [{matchLabels: {site: south}}]")
      ], expected: "fitting"),
    Case(
      what: "on one interface (MetalLB 37)", objects: [Objects.advertisement("a", "interfaces: [eth0]")],
      expected: "eth0"),
    Case(
      what: "two advertisements, two interfaces (MetalLB 41)",
      objects: [Objects.advertisement("a", "interfaces: [eth0]"), Objects.advertisement("b", "interfaces: [eth1]")],
      expected: "eth0,eth1"),
    Case(
      what: "one of two has no interfaces: all that fit",
      objects: [Objects.advertisement("a", "interfaces: [eth0]"), Objects.advertisement("b")], expected: "fitting"),
    Case(
      what: "this node (MetalLB 43)",
      objects: [north, Objects.advertisement("a", "nodeSelectors: [{matchLabels: {rack: a}}]")], node: "n1",
      expected: "fitting"),
    Case(
      what: "another node (MetalLB 45)",
      objects: [north, Objects.advertisement("a", "nodeSelectors: [{matchLabels: {rack: b}}]")], node: "n1",
      expected: "L2Advertisement a selects pool lab, but not node n1"),
    Case(
      what: "several node selectors, one of which matches (MetalLB 44)",
      objects: [
        north,
        Objects.advertisement("a", "nodeSelectors: [{matchLabels: {rack: b}}, {matchLabels: {rack: a}}]"),
      ], node: "n1", expected: "fitting"),
    Case(
      what: "a node without a name",
      objects: [north, Objects.advertisement("a", "nodeSelectors: [{matchLabels: {rack: a}}]")],
      expected:
        "L2Advertisement a selects pool lab, but \(onNode) without --node-name this process is no node"),
    Case(
      what: "a name without a Node",
      objects: [Objects.advertisement("a", "nodeSelectors: [{matchLabels: {rack: a}}]")], node: "n7",
      expected: "L2Advertisement a selects pool lab, but \(onNode) there is no Node n7 among the objects"),
    Case(
      what: "this Service (MetalLB 54)",
      objects: [Objects.advertisement("a", "serviceSelectors: [{matchLabels: {tier: front}}]")], expected: "fitting"),
    Case(
      what: "another Service",
      objects: [Objects.advertisement("a", "serviceSelectors: [{matchLabels: {tier: back}}]")],
      expected: "L2Advertisement a selects pool lab, but not this Service"),
    Case(
      what: "one of several service selectors (MetalLB 57)",
      objects: [
        Objects.advertisement("a", "serviceSelectors: [{matchLabels: {tier: back}}, {matchLabels: {tier: front}}]")
      ], expected: "fitting"),
    Case(
      what: "one for the Service and one for the node are none for both (MetalLB 56)",
      objects: [
        north, Objects.advertisement("a", "serviceSelectors: [{matchLabels: {tier: back}}]"),
        Objects.advertisement("b", "nodeSelectors: [{matchLabels: {rack: b}}]"),
      ], node: "n1",
      expected: "L2Advertisement a selects pool lab, but not this Service; "
        + "L2Advertisement b selects pool lab, but not node n1"),
    Case(
      what: "only the interfaces of those that match (MetalLB 42, 55)",
      objects: [
        north, Objects.advertisement("a", "interfaces: [eth0], nodeSelectors: [{matchLabels: {rack: a}}]"),
        Objects.advertisement("b", "interfaces: [eth1], nodeSelectors: [{matchLabels: {rack: b}}]"),
      ], node: "n1", expected: "eth0"),
    Case(
      what: "an excluded node, whatever the label's value (MetalLB 48)",
      objects: [
        Objects.node("n1", labels: "\(Node.excludeLabel): \"false\""), Objects.advertisement("a"),
      ], node: "n1", expected: "node n1 has the label node.kubernetes.io/exclude-from-external-load-balancers"),
    Case(
      what: "another node is excluded",
      objects: [Objects.node("n2", labels: "\(Node.excludeLabel): \"\""), Objects.advertisement("a")], node: "n1",
      expected: "fitting"),
    Case(
      what: "a node without a network (MetalLB 5)",
      objects: [
        Objects.node("n1", conditions: "{type: NetworkUnavailable, status: \"True\"}"), Objects.advertisement("a"),
      ], node: "n1", expected: "node n1 has the condition NetworkUnavailable"),
    Case(
      what: "a node with a network",
      objects: [
        Objects.node("n1", conditions: "{type: NetworkUnavailable, status: \"False\"}"), Objects.advertisement("a"),
      ], node: "n1", expected: "fitting"),
    Case(what: "--announce none", objects: [Objects.advertisement("a")], mode: .none, expected: "--announce none"),
    Case(what: "--announce layer2 needs no advertisement", objects: [], mode: .layer2, expected: "fitting"),
    Case(
      what: "--announce layer2 takes an advertisement's interfaces",
      objects: [Objects.advertisement("a", "interfaces: [eth0]")], mode: .layer2, expected: "eth0"),
    Case(
      what: "--announce layer2 minds no selector",
      objects: [Objects.advertisement("a", "interfaces: [eth0], serviceSelectors: [{matchLabels: {tier: back}}]")],
      mode: .layer2, expected: "fitting"),
  ]

  @Test("an address is announced as the objects and --announce say", arguments: cases)
  func policy(one: Case) throws {
    let (plan, store) = try planned([Self.labelled, Self.web, Objects.pod("10.1.1.1")] + one.objects)
    let decided = AnnouncementPlanner(mode: one.mode, nodeName: one.node).plan(plan, store: store)
    #expect(decided.verdicts.mapValues(\.text) == [Self.address: one.expected])
  }

  @Test("a loopback address is never announced", arguments: AnnounceMode.allCases)
  func loopback(mode: AnnounceMode) throws {
    let (plan, store) = try planned([
      Objects.pool("lab", "127.101.0.50/32"), Self.web, Objects.pod("10.1.1.1"), Objects.advertisement("a"),
    ])
    let decided = AnnouncementPlanner(mode: mode).plan(plan, store: store)
    #expect(decided.verdicts.values.map(\.text) == ["a loopback address"])
    #expect(decided.announcements == [])
  }

  @Test("of a shared address one Service that is selected suffices")
  func shared() throws {
    let sharing = "metallb.io/allow-shared-ip: k, metallb.io/loadBalancerIPs: 10.101.0.50"
    let objects = [
      Objects.pool(), Objects.pod("10.1.1.1"), Objects.service("a", labels: "tier: back", annotations: sharing),
      Objects.service("b", labels: "tier: front", annotations: sharing, port: 9090),
    ]
    func verdict(_ tier: String) throws -> String? {
      let advertisement = Objects.advertisement("ad", "serviceSelectors: [{matchLabels: {tier: \(tier)}}]")
      let (plan, store) = try planned(objects + [advertisement])
      #expect(plan.claim(on: Self.address)?.services.count == 2)
      return AnnouncementPlanner().plan(plan, store: store).verdicts[Self.address]?.text
    }
    #expect(try verdict("front") == "fitting")
    #expect(try verdict("back") == "fitting")
    #expect(try verdict("side") == "L2Advertisement ad selects pool lab, but none of the Services on it")
  }

  @Test("an address is announced once a port answers, and then stays while its endpoints are away")
  func readiness() throws {
    let (ready, store) = try planned([Objects.pool(), Self.web, Objects.advertisement("a"), Objects.pod("10.1.1.1")])
    let (unready, _) = try planned([
      Objects.pool(), Self.web, Objects.advertisement("a"), Objects.pod("10.1.1.1", isReady: false),
    ])
    let planner = AnnouncementPlanner()
    let listen = ListenAddress(.tcp, SocketAddress(Self.address, port: 8080))
    var report = DataPlane.Report()
    func text(_ plan: Plan, _ before: AnnouncementPlan = AnnouncementPlan()) -> String? {
      let moment = AnnouncementPlanner.Moment(served: report, before: before)
      return planner.plan(plan, store: store, at: moment).verdicts[Self.address]?.text
    }
    report.failures[listen] = .addressInUse(listen)
    #expect(text(ready) == "not listening: 10.101.0.50:8080 is in use by another process")
    #expect(text(unready) == "no ready endpoint")
    report = DataPlane.Report()
    report.clashes[listen] = ["default/web"]
    report.listening = [listen]
    #expect(text(ready) == "not listening: 10.101.0.50:8080/TCP is another Service's")
    report.clashes = [:]
    #expect(text(ready) == "fitting")
    #expect(text(unready) == "no ready endpoint")
    let before = planner.plan(ready, store: store, at: AnnouncementPlanner.Moment(served: report))
    #expect(
      text(unready, before) == "fitting [stays announced without a ready endpoint: new connections are reset]")
    #expect(text(ready, before) == "fitting")
  }

  @Test("an address that no Service has stays where it was while connections are open; an excluded node ends that")
  func lingering() throws {
    let (plan, store) = try planned([
      Objects.pool(), Self.web, Objects.advertisement("a", "interfaces: [eth1]"), Objects.pod("10.1.1.1"),
    ])
    let (empty, emptyStore) = try planned([Objects.pool()])
    let planner = AnnouncementPlanner(nodeName: "n1")
    let before = planner.plan(plan, store: store)
    let moment = AnnouncementPlanner.Moment(served: .init(), before: before, lingering: [Self.address: 2])
    let after = planner.plan(empty, store: emptyStore, at: moment)
    #expect(after.verdicts[Self.address]?.text == "eth1 [stays until 2 connections have ended]")
    #expect(after.announcements == [Announcement(Self.address, on: .named(["eth1"]))])
    let (_, excluded) = try planned([Objects.node("n1", labels: "\(Node.excludeLabel): \"\"")])
    #expect(planner.plan(empty, store: excluded, at: moment).announcements == [])
    // Another Service has it, which nothing selects.
    let other = try planned([Objects.pool(), Objects.service("other"), Objects.pod("10.1.1.1")])
    let given = planner.plan(other.plan, store: other.store, at: moment)
    #expect(given.verdicts[Self.address]?.text == "eth1 [stays until 2 connections have ended]")
  }

  @Test("addresses of --listen are announced with --announce layer2 only, and no wildcard is")
  func listen() {
    let ports = ["10.101.0.50:80", "127.0.0.1:80", "0.0.0.0:80", "10.101.0.50:81"].map {
      ServicePort(
        service: "-", listen: [SocketAddress($0)].compactMap(\.self),
        endpoints: [Endpoint(SocketAddress(Self.address, port: 1))])
    }
    func texts(_ mode: AnnounceMode, own: Set<IPAddress> = []) -> [String: String] {
      let decided = AnnouncementPlanner(mode: mode)
        .plan(Plan(), fixedPorts: ports, store: ObjectStore(), at: AnnouncementPlanner.Moment(own: own))
      return Dictionary(uniqueKeysWithValues: decided.verdicts.map { ($0.key.description, $0.value.text) })
    }
    let others = ["127.0.0.1": "a loopback address", "0.0.0.0": "not a single address"]
    #expect(texts(.layer2) == others.merging(["10.101.0.50": "fitting"]) { $1 })
    #expect(
      texts(.auto)
        == others.merging(["10.101.0.50": "addresses of --listen are announced with --announce layer2"]) { $1 })
    #expect(
      texts(.auto, own: [Self.address]) == others.merging(["10.101.0.50": "an address of this host"]) { $1 })
  }

  @Test("without anything to announce with, the reason is told of what would be announced")
  func unavailable() throws {
    let (plan, store) = try planned([Objects.pool(), Self.web, Objects.pod("10.1.1.1"), Objects.advertisement("a")])
    let decided = AnnouncementPlanner(unavailable: "needs CAP_NET_ADMIN").plan(plan, store: store)
    #expect(decided.verdicts[Self.address]?.text == "needs CAP_NET_ADMIN")
  }

  @Test("an advertisement that selects nothing, or names a pool that is not there, is a warning with its line")
  func problems() throws {
    let (plan, _) = try planned([
      Objects.pool(), Objects.advertisement("a", "ipAddressPools: [lab, lib]"),
      Objects.advertisement("b", "ipAddressPoolSelectors: [{matchLabels: {site: south}}]"),
      Objects.advertisement("c", "preferredNodeSelectors: [{weight: 1, preference: {}}]"),
    ])
    #expect(
      plan.problems.map(\.description) == [
        "all.yaml:7: L2Advertisement/a: spec.ipAddressPools: warning: there is no IPAddressPool 'lib'",
        "all.yaml:12: L2Advertisement/b: warning: selects no pool",
        "all.yaml:17: L2Advertisement/c: spec.preferredNodeSelectors: warning: has no effect: it is understood with "
          + "the Kubernetes API only",
      ])
  }

  @Test("what files would not announce is a warning with its line: pools in use that nothing selects, node selectors")
  func unannounced() throws {
    let objects = [
      Objects.pool(), Objects.pool("spare", "10.102.0.0/24"), Objects.pool("near", "127.101.0.50/32"),
      Self.web, Objects.service("near", annotations: "metallb.io/address-pool: near"),
    ]
    func problems(_ more: [String], node: String? = nil) throws -> [String] {
      let (plan, store) = try planned(objects + more)
      #expect(plan.hasAddressesToAnnounce)
      return plan.announcementProblems(store, nodeName: node).map(\.description)
    }
    #expect(try problems([]) == [])
    let other = Objects.advertisement("a", "ipAddressPools: [spare], nodeSelectors: [{matchLabels: {rack: a}}]")
    let pool =
      "all.yaml:2: IPAddressPool/lab: warning: no L2Advertisement selects it, so Service default/web would not be "
      + "announced"
    let selectors = "all.yaml:27: L2Advertisement/a: spec.nodeSelectors: warning: cannot match: "
    #expect(try problems([other]) == [pool, selectors + "there is no --node-name"])
    #expect(try problems([other], node: "n7") == [pool, selectors + "there is no Node n7 among the objects"])
    #expect(try problems([other, Self.north], node: "n1") == [pool])
    #expect(try problems([Objects.advertisement("all")]) == [])
    let (nothing, _) = try planned([Objects.pool("near", "127.101.0.50/32"), Self.web])
    #expect(!nothing.hasAddressesToAnnounce)
  }

  private static let address = IPAddress(v4: 0x0A65_0032)

  private func planned(_ objects: [String]) throws -> (plan: Plan, store: ObjectStore) {
    let manifests = try Objects.manifests(objects)
    var planner = Planner(resolver: EndpointResolver())
    return (planner.plan(manifests.store, now: 0), manifests.store)
  }
}
