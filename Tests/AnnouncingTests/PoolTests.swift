import Addresses
import Announcing
import Testing

@Suite struct PoolTests {
  @Test func `a pool that shrinks keeps those still covered and moves the others`() {
    var cluster = Cluster(pool("test", "1.2.3.0/30"))
    cluster.apply(service("s1"), service("s2"), service("s3"))
    cluster.replacePools(pool("test", "1.2.3.1-1.2.3.3"))
    #expect(cluster.addresses("s1") == "1.2.3.3")
    #expect(cluster.addresses("s2") == "1.2.3.1")
    #expect(cluster.addresses("s3") == "1.2.3.2")
    #expect(
      cluster.lastChange("s1")
        == "default/s1 has 1.2.3.3 from pool test instead of 1.2.3.0: pool test no longer holds 1.2.3.0")
    #expect(cluster.last.events.map(\.reason.eventReason) == [.clearAssignment, .allocated])
  }

  @Test func `expanding, renaming and splitting a pool moves nobody`() {
    var cluster = Cluster(pool("test", "1.2.3.0/30"))
    cluster.apply(service("s1"), service("s2"), service("s3"))
    let before = ["s1", "s2", "s3"].map(cluster.addresses)
    cluster.replacePools(pool("test", "1.2.3.0/24"))
    #expect(cluster.events.isEmpty)
    cluster.replacePools(pool("new", "1.2.3.0/24"))
    #expect(cluster.events.first == "default/s1 keeps 1.2.3.0, which is in pool new now (was test)")
    #expect(cluster.last.events.allSatisfy { $0.reason.eventReason == nil })
    cluster.replacePools(pool("one", "1.2.3.0/31"), pool("two", "1.2.3.2/31"))
    #expect(["s1", "s2", "s3"].map(cluster.addresses) == before)
    #expect(["s1", "s2", "s3"].map { cluster.pools($0) } == ["one", "one", "two"])
    // What one pool loses another may gain in the same edit.
    cluster.replacePools(pool("one", "1.2.3.2/31"), pool("two", "1.2.3.0/31"))
    #expect(["s1", "s2", "s3"].map(cluster.addresses) == before)
    #expect(["s1", "s2", "s3"].map { cluster.pools($0) } == ["two", "two", "one"])
  }

  @Test func `avoiding buggy addresses moves those who have one`() {
    var cluster = Cluster(pool("test", "1.2.3.0/30"))
    cluster.apply(service("s1"), service("s2"))
    cluster.replacePools(pool("test", "1.2.3.0/30", avoidBuggyIPs: true))
    #expect(cluster.addresses("s1") == "1.2.3.2")
    #expect(cluster.addresses("s2") == "1.2.3.1")
    #expect(
      cluster.lastChange("s1")
        == "default/s1 has 1.2.3.2 from pool test instead of 1.2.3.0: pool test has avoidBuggyIPs now, which leaves "
        + "out 1.2.3.0")
  }

  @Test(arguments: [("1.2.4.0/31", "1.2.4.1"), ("1.2.4.254/31", "1.2.4.254"), ("1.2.3.255-1.2.4.1", "1.2.4.1")])
  func `a pool that avoids buggy addresses gives the others`(_ range: String, _ only: String) {
    var cluster = Cluster(pool("test", range, avoidBuggyIPs: true))
    cluster.apply(service("a"), service("b"))
    #expect(cluster.addresses("a") == only)
    #expect(cluster.lacks("b") == "pool test has no free address: 1 of 1 in use; default/b waits")
  }

  /// Ranges, whether .0 and .255 are avoided, usable IPv4 and IPv6 addresses.
  static let counts: [([String], Bool, UInt128, UInt128)] = [
    (["1.2.3.0/24"], false, 256, 0),
    (["1.2.3.0/24", "1.2.4.0/25"], false, 384, 0),
    (["1.2.3.0/24", "1.2.4.0/25"], true, 381, 0),
    (["1.2.3.0/24", "1.2.4.0/25", "1000::/64"], true, 381, 0x1_0000_0000_0000_0000),
    (["1.2.3.0/31", "1000::/127"], true, 1, 2),
    (["0.0.0.0/0", "::/0"], false, 0x1_0000_0000, .max),
    (["0.0.0.0/0"], true, 0xFE00_0000, 0),
    (["1.2.3.255-1.2.4.0"], true, 0, 0),
  ]

  @Test(arguments: counts)
  func `a pool counts its usable addresses`(_ ranges: [String], _ avoids: Bool, _ v4: UInt128, _ v6: UInt128) {
    var allocator = Allocator()
    let pool = AddressPool(name: "p", ranges: ranges.map { try! IPRange(parsing: $0) }, avoidBuggyIPs: avoids)
    _ = allocator.converge(pools: [pool], now: 0)
    func total(_ family: IPAddress.Family) -> UInt128 {
      allocator.usage.first { $0.family == family }?.available ?? 0
    }
    #expect(total(.v4) == v4)
    #expect(total(.v6) == v6)
  }

  @Test func `deleting a pool moves its services to another, and all pools clears them`() {
    var cluster = Cluster(pool("a", "1.2.3.0/30"), pool("b", "1.2.4.0/30"))
    cluster.apply(service("s"))
    cluster.replacePools(pool("b", "1.2.4.0/30"))
    #expect(cluster.addresses("s") == "1.2.4.0")
    #expect(
      cluster.lastChange("s")
        == "default/s has 1.2.4.0 from pool b instead of 1.2.3.0: pool a is gone and no other holds 1.2.3.0")
    cluster.replacePools()
    #expect(cluster.addresses("s") == "")
    #expect(cluster.lacks("s") == "there is no IPAddressPool; default/s waits")
    cluster.replacePools(pool("a", "1.2.3.0/30"), pool("b", "1.2.4.0/30"))
    #expect(cluster.addresses("s") == "1.2.4.0")
  }

  @Test func `pinned pools come first by priority, then the others by name`() {
    func pinned(_ priority: Int) -> ServiceAllocation { ServiceAllocation(priority: priority, namespaces: ["ns"]) }
    var cluster = Cluster(
      pool("a-open", "1.0.0.1/32"), pool("b-open", "1.0.0.2/32"),
      pool("z10", "1.0.0.3/32", for: pinned(10)), pool("y20", "1.0.0.4/32", for: pinned(20)),
      pool("x0", "1.0.0.5/32", for: pinned(0)), pool("w20", "1.0.0.6/32", for: pinned(20)),
      pool("manual", "1.0.0.7/32", autoAssign: false, for: pinned(1)))
    for name in ["1", "2", "3", "4", "5", "6", "7"] { cluster.apply(service("ns/\(name)")) }
    #expect(
      ["1", "2", "3", "4", "5", "6", "7"].map { cluster.pools("ns/\($0)") }
        == ["z10", "w20", "y20", "x0", "a-open", "b-open", ""])
    #expect(
      cluster.lacks("ns/7")
        == "no pool has a free address: z10 has 1 of 1 in use, w20 has 1 of 1 in use, y20 has 1 of 1 in use, x0 has 1 "
        + "of 1 in use, a-open has 1 of 1 in use and 1 more; ns/7 waits")
  }

  @Test func `a pool with a priority alone is pinned for all`() {
    var cluster = Cluster(
      pool("a", "1.0.0.1/32"), pool("b", "1.0.0.2/32", for: ServiceAllocation(priority: 5)),
      pool("c", "1.0.0.3/32", for: ServiceAllocation(priority: 1)))
    cluster.apply(service("1"), service("2"), service("3"))
    #expect(["1", "2", "3"].map { cluster.pools($0) } == ["c", "b", "a"])
  }

  @Test func `a pool is for the namespaces named or selected, and the services selected`() {
    let allocation = ServiceAllocation(
      namespaces: ["blue"], namespaceSelectors: [LabelSelector(matchLabels: ["team": "green"])],
      serviceSelectors: [LabelSelector(matchLabels: ["tier": "front"]), LabelSelector(matchLabels: ["tier": "edge"])])
    func admits(_ namespace: String, _ team: String, _ tier: String) -> Bool {
      allocation.admits(namespace: namespace, namespaceLabels: ["team": team], labels: ["tier": tier])
    }
    #expect(admits("blue", "red", "front"))
    #expect(admits("any", "green", "edge"))
    #expect(!admits("any", "red", "front"))
    #expect(!admits("blue", "green", "back"))
    #expect(ServiceAllocation().admits(namespace: "any", namespaceLabels: [:], labels: [:]))
    let selectorOnly = ServiceAllocation(namespaceSelectors: [LabelSelector(matchLabels: ["none": "such"])])
    #expect(!selectorOnly.admits(namespace: "any", namespaceLabels: [:], labels: [:]))
  }

  @Test func `a namespace that is labelled otherwise moves its services`() {
    let green = ServiceAllocation(namespaceSelectors: [LabelSelector(matchLabels: ["team": "green"])])
    var cluster = Cluster(pool("green", "1.0.0.0/30", for: green), pool("open", "1.0.1.0/30"))
    cluster.apply(service("s", namespaceLabels: ["team": "green"]))
    #expect(cluster.pools("s") == "green")
    cluster.apply(service("s", namespaceLabels: ["team": "red"]))
    #expect(cluster.pools("s") == "open")
    #expect(
      cluster.lastChange("s")
        == "default/s has 1.0.1.0 from pool open instead of 1.0.0.0: 1.0.0.0 is in pool green, which is for other "
        + "services by its serviceAllocation")
    // Being pinned to a better pool is no cause to move.
    cluster.apply(service("s", namespaceLabels: ["team": "green"]))
    #expect(cluster.pools("s") == "open")
  }

  @Test func `a pool that is given to others lets go of its services`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30"), pool("b", "1.0.1.0/30"))
    cluster.apply(service("s"), service("blue/t"))
    cluster.replacePools(pool("a", "1.0.0.0/30", for: ServiceAllocation(namespaces: ["blue"])), pool("b", "1.0.1.0/30"))
    #expect(cluster.pools("s") == "b")
    #expect(cluster.pools("blue/t") == "a")
  }

  @Test func `an autoAssign that is turned off moves nobody`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30"))
    cluster.apply(service("s"))
    cluster.replacePools(pool("a", "1.0.0.0/30", autoAssign: false))
    #expect(cluster.pools("s") == "a")
    cluster.apply(service("t"))
    #expect(cluster.pools("t") == "")
  }

  @Test func `a pool that is full with other figures is no news`() {
    var cluster = Cluster(pool("a", "1.0.0.0/31"))
    cluster.apply(service("a"), service("b"), service("c", had: ["1.0.0.0"]), service("d", had: ["1.0.0.1"]))
    cluster.replacePools(pool("a", "1.0.0.1/32"))
    #expect(cluster.lacks("a") == "pool a has no free address: 1 of 1 in use; default/a waits")
    #expect(cluster.last.outcomes[named("a")] != nil)
    #expect(cluster.last.events.map(\.service).contains(named("a")) == false)
  }

  @Test func `earlier services keep their address as pools and services are added one by one`() {
    var cluster = Cluster()
    var before: [String: String] = [:]
    for step in 0..<10 {
      cluster.pools.append(pool("p\(9 - step)", "10.0.\(9 - step).0/30", autoAssign: step % 2 == 0))
      cluster.apply(service("s\(step)", pool: "p\(9 - step)"))
      before["s\(step)"] = "10.0.\(9 - step).0"
      for (name, address) in before { #expect(cluster.addresses(name) == address) }
    }
  }

  @Test func `addresses are the lowest first whatever the order of the ranges`() {
    var cluster = Cluster(pool("p", "10.0.1.0/32", "fd00::5-fd00::6", "10.0.0.7-10.0.0.8"))
    cluster.apply(service("a", [.v4, .v6]), service("b"), service("c"))
    #expect(["a", "b", "c"].map(cluster.addresses) == ["10.0.0.7 fd00::5", "10.0.0.8", "10.0.1.0"])
  }
}
