import Addresses
import Announcing
import Testing

@Suite struct AllocatorTests {
  @Test func `the example gets the first address of its pool`() {
    var cluster = Cluster(pool("lab", "10.101.0.50-10.101.0.60"))
    cluster.apply(service("hostname-svc-lb", ports: [8080]))
    #expect(cluster.addresses("hostname-svc-lb") == "10.101.0.50")
    #expect(cluster.events == ["default/hostname-svc-lb has 10.101.0.50 from pool lab"])
    #expect(cluster.last.events.map(\.reason.eventReason) == [.allocated])
  }

  @Test func `a full pool says how full it is and who waits`() {
    var cluster = Cluster(pool("lab", "10.101.0.50-10.101.0.60"))
    for index in 0..<11 { cluster.apply(service("s\(index)")) }
    cluster.apply(service("hostname-svc-lb"))
    #expect(cluster.addresses("hostname-svc-lb") == "")
    #expect(
      cluster.lacks("hostname-svc-lb")
        == "pool lab has no free address: 11 of 11 in use; default/hostname-svc-lb waits")
    #expect(cluster.last.events.map(\.reason.eventReason) == [.allocationFailed])
    cluster.delete("s4")
    #expect(cluster.addresses("hostname-svc-lb") == "10.101.0.54")
  }

  @Test func `settling twice changes nothing and says nothing`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/31", "fd00::/127"))
    cluster.apply(service("a", [.v4, .v6]), service("b"), service("c"))
    let before = cluster.allocator.assignments
    cluster.settle(after: 100)
    #expect(cluster.last == Convergence())
    #expect(cluster.allocator.assignments == before)
  }

  @Test func `the order of the requests does not matter`() {
    let requests = (0..<20).map { service("s\($0)") } + [service("z", asks: "1.2.3.3")]
    var one = Allocator()
    var other = Allocator()
    let pools = [pool("b", "1.2.4.0/28"), pool("a", "1.2.3.0/29")]
    _ = one.converge(pools: pools, requests: requests, now: 0)
    _ = other.converge(pools: pools.reversed(), requests: requests.reversed(), now: 0)
    #expect(one.assignments == other.assignments)
    #expect(one.outcome(of: named("z"))?.addresses.map(\.address) == [ip("1.2.3.3")])
  }

  @Test func `who asks for an address is served before those who ask for none`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/31"))
    cluster.apply(service("a"), service("b", asks: "1.2.3.0"))
    #expect(cluster.addresses("a") == "1.2.3.1")
    #expect(cluster.addresses("b") == "1.2.3.0")
  }

  @Test func `an address that another holds is refused by the holder's name`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/31"))
    cluster.apply(service("a"))
    cluster.apply(service("b", asks: "1.2.3.0"))
    #expect(cluster.addresses("a") == "1.2.3.0")
    #expect(
      cluster.lacks("b")
        == "1.2.3.0 is held by default/a, and to share it both need the same metallb.io/allow-shared-ip; default/b waits"
    )
    cluster.delete("a")
    #expect(cluster.addresses("b") == "1.2.3.0")
  }

  @Test func `what cannot be given is refused with a reason`() {
    let other = ServiceAllocation(namespaces: ["other"])
    var cluster = Cluster(
      pool("pool1", "1.2.3.0/31"), pool("pool2", "1.2.4.0/31", avoidBuggyIPs: true),
      pool("pool3", "1.2.5.0/31", for: other))
    let cases: [(AddressRequest, String, EventReason)] = [
      (service("s", asks: "1.2.9.9"), "1.2.9.9 is in no pool", .allocationFailed),
      (
        service("s", asks: "1.2.3.1", pool: "pool2"), "1.2.3.1 is in pool pool1, not in pool2, which it also asks for",
        .allocationFailed
      ),
      (
        service("s", asks: "1.2.4.0"), "pool pool2 has avoidBuggyIPs, which leaves out 1.2.4.0",
        .allocationFailed
      ),
      (
        service("s", asks: "1.2.5.0"), "pool pool3 is for other services by its serviceAllocation",
        .allocationFailed
      ),
      (service("s", pool: "lab"), "there is no pool lab; there is pool1, pool2, pool3", .allocationFailed),
      (service("s", asks: "fd00::1"), "it asks for fd00::1, and its address family is IPv4", .loadBalancerFailed),
      (
        service("s", [.v6], asks: "1.2.3.0"), "it asks for 1.2.3.0, and its address family is IPv6",
        .loadBalancerFailed
      ),
      (
        service("s", asks: "1.2.3.0", "1.2.3.1"), "it asks for 1.2.3.0 and 1.2.3.1, which are of one family",
        .loadBalancerFailed
      ),
      (service("s", []), "it has no cluster IP and no ipFamilies", .loadBalancerFailed),
      (
        service("s", [.v4], .requireDualStack),
        "its ipFamilyPolicy is RequireDualStack and its cluster IPs are IPv4 only", .loadBalancerFailed
      ),
      (service("s", [.v6]), "none of the pools pool1, pool2 has IPv6 addresses", .allocationFailed),
    ]
    for (request, text, reason) in cases {
      cluster.apply(request)
      #expect(cluster.addresses("s") == "")
      #expect(cluster.lacks("s") == text + "; default/s waits")
      #expect(cluster.allocator.outcome(of: named("s"))?.lacks?.eventReason == reason)
      cluster.delete("s")
    }
  }

  @Test func `without a pool for it a service is told which pools there are and why not`() {
    var cluster = Cluster()
    cluster.apply(service("s"))
    #expect(cluster.lacks("s") == "there is no IPAddressPool; default/s waits")
    cluster.replacePools(
      pool("manual", "1.2.3.0/31", autoAssign: false),
      pool("prod", "1.2.4.0/31", for: ServiceAllocation(namespaces: ["prod"])))
    #expect(
      cluster.lacks("s")
        == "no pool serves it unasked: manual has autoAssign: false (ask for it with metallb.io/address-pool), "
        + "prod is for other services by its serviceAllocation; default/s waits")
    cluster.apply(service("s", pool: "manual"))
    #expect(cluster.addresses("s") == "1.2.3.0")
  }

  @Test func `asking for another address gives up the first, also when the other cannot be had`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("s", asks: "1.2.3.1"))
    cluster.apply(service("s", asks: "1.2.3.2"))
    #expect(cluster.addresses("s") == "1.2.3.2")
    #expect(cluster.lastChange("s") == "default/s has 1.2.3.2 from pool lab instead of 1.2.3.1: it asks for 1.2.3.2")
    cluster.apply(service("s", asks: "9.9.9.9"))
    #expect(cluster.addresses("s") == "")
    #expect(cluster.last.events.map(\.reason.eventReason) == [.clearAssignment, .allocationFailed])
    cluster.apply(service("s", asks: "1.2.3.2"))
    #expect(cluster.addresses("s") == "1.2.3.2")
  }

  @Test func `no longer asking for an address or a pool moves nobody`() {
    var cluster = Cluster(pool("a", "1.2.3.0/30"), pool("manual", "1.2.4.0/30", autoAssign: false))
    cluster.apply(service("s", asks: "1.2.3.2"), service("t", pool: "manual"))
    cluster.apply(service("s"), service("t"))
    #expect(cluster.addresses("s") == "1.2.3.2")
    #expect(cluster.addresses("t") == "1.2.4.0")
    #expect(cluster.events.isEmpty)
  }

  @Test func `asking for another pool moves, and for the one it has does not`() {
    var cluster = Cluster(pool("a", "1.2.3.0/30"), pool("b", "1.2.4.0/30"))
    cluster.apply(service("s"))
    cluster.apply(service("s", pool: "a"))
    #expect(cluster.events.isEmpty)
    cluster.apply(service("s", pool: "b"))
    #expect(cluster.addresses("s") == "1.2.4.0")
    #expect(cluster.lastChange("s") == "default/s has 1.2.4.0 from pool b instead of 1.2.3.0: it asks for pool b")
  }

  @Test func `a request that makes no sense keeps what it has and gets nothing new`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("s"))
    var typo = service("s")
    typo.invalid = .notAnAddress("10.101.0.5O")
    cluster.apply(typo)
    #expect(cluster.addresses("s") == "1.2.3.0")
    #expect(
      cluster.lacks("s") == "it asks for '10.101.0.5O', which is not an IP address; default/s keeps what it had")
    typo.id = named("t")
    cluster.apply(typo)
    #expect(cluster.lacks("t") == "it asks for '10.101.0.5O', which is not an IP address; default/t waits")
    cluster.apply(service("t"))
    #expect(cluster.addresses("t") == "1.2.3.1")
  }

  @Test func `what a service asks for is read from annotation or field, not both`() throws {
    typealias R = AddressRequest
    #expect(
      try R.requestedAddresses(annotation: " 1.2.3.4 , fd00::1", loadBalancerIP: nil) == [ip("1.2.3.4"), ip("fd00::1")])
    #expect(try R.requestedAddresses(annotation: nil, loadBalancerIP: "1.2.3.4") == [ip("1.2.3.4")])
    #expect(try R.requestedAddresses(annotation: nil, loadBalancerIP: "") == [])
    #expect(throws: AllocationRefusal.askedTwice(annotation: "1.2.3.4", field: "1.2.3.4")) {
      try R.requestedAddresses(annotation: "1.2.3.4", loadBalancerIP: "1.2.3.4")
    }
    let plea = "please sir may I have an IP address thank you"
    #expect(throws: AllocationRefusal.notAnAddress(plea)) {
      try R.requestedAddresses(annotation: plea, loadBalancerIP: nil)
    }
    #expect(throws: AllocationRefusal.notAnAddress("")) {
      try R.requestedAddresses(annotation: "1.2.3.4,", loadBalancerIP: nil)
    }
  }

  @Test func `services that had an address get it back before any other is served`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/31"))
    cluster.apply(
      service("a"), service("b", asks: "1.2.3.0"), service("c", had: ["1.2.3.0"]), service("d", had: ["1.2.3.1"]))
    #expect(cluster.addresses("c") == "1.2.3.0")
    #expect(cluster.addresses("d") == "1.2.3.1")
    #expect(cluster.addresses("a") == "")
    #expect(cluster.addresses("b") == "")
  }

  @Test func `what a service had counts once, not when its status comes back late`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("a", had: ["1.2.3.3"]))
    #expect(cluster.addresses("a") == "1.2.3.3")
    #expect(cluster.last.events.map(\.reason.eventReason) == [nil])
    cluster.apply(service("a", asks: "1.2.3.1", had: ["1.2.3.3"]))
    cluster.apply(service("a", had: ["1.2.3.3"]))
    #expect(cluster.addresses("a") == "1.2.3.1")
  }

  @Test func `what a service had and may not have any more is replaced, with the reason`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("a", had: ["9.9.9.9"]), service("b", [.v6], had: ["1.2.3.0"]))
    #expect(cluster.lastChange("a") == "default/a has 1.2.3.1 from pool lab instead of 9.9.9.9: no pool holds 9.9.9.9")
    #expect(cluster.addresses("b") == "")
    #expect(cluster.events.contains("default/b gives up 1.2.3.0: it no longer has the address family IPv4"))
  }

  @Test func `five restarts with two addresses for four services move nobody`() {
    let pools = [pool("lab", "1.2.3.0/31")]
    let names = ["a", "b", "c", "d"]
    var allocator = Allocator()
    _ = allocator.converge(pools: pools, requests: [service("c"), service("d")], now: 0)
    _ = allocator.converge(pools: pools, requests: names.map { service($0) }, now: 1)
    for restart in 0..<5 {
      let before = allocator.assignments
      let requests = names.map { name in
        service(name, had: before[named(name)]?.map(\.address.description) ?? [])
      }
      allocator = Allocator()
      _ = allocator.converge(pools: pools, requests: requests, now: Double(restart))
      #expect(allocator.assignments == before)
    }
  }
}
