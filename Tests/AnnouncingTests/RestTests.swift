import Announcing
import Testing

@Suite struct RestTests {
  @Test func `a released address rests for a minute while others are free`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("a"))
    cluster.delete("a")
    cluster.apply(service("b"))
    #expect(cluster.addresses("b") == "1.2.3.1")
    cluster.settle(after: 59.9)
    cluster.apply(service("c"))
    #expect(cluster.addresses("c") == "1.2.3.2")
    cluster.settle(after: 0.2)
    cluster.apply(service("d"))
    #expect(cluster.addresses("d") == "1.2.3.0")
  }

  @Test func `a service that comes back under its name gets its address at once`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/29"))
    cluster.apply(service("a"), service("b"), service("c"))
    cluster.delete("b")
    cluster.apply(service("x"))
    cluster.apply(service("b"))
    #expect(cluster.addresses("x") == "1.2.3.3")
    #expect(cluster.addresses("b") == "1.2.3.1")
  }

  @Test func `a service deleted and made again in one step keeps its address`() {
    var allocator = Allocator()
    _ = allocator.converge(
      pools: [pool("lab", "1.2.3.0/29")], requests: [service("a"), service("b"), service("c")], now: 0)
    _ = allocator.converge(changed: [service("b"), service("a0")], removed: [named("b")], now: 1)
    #expect(allocator.outcome(of: named("b"))?.addresses.map(\.address) == [ip("1.2.3.1")])
    #expect(allocator.outcome(of: named("a0"))?.addresses.map(\.address) == [ip("1.2.3.3")])
    #expect(allocator.brokenInvariants() == [])
  }

  @Test func `where nothing else is free the address that rested longest is given`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("a"), service("b"), service("c"), service("d"))
    cluster.delete("c")
    cluster.settle(after: 10)
    cluster.delete("a")
    cluster.apply(service("x"))
    #expect(cluster.addresses("x") == "1.2.3.2")
    cluster.apply(service("y"))
    #expect(cluster.addresses("y") == "1.2.3.0")
  }

  @Test func `an address that rests is given to one who asks for it`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("a"))
    cluster.delete("a")
    cluster.apply(service("b", asks: "1.2.3.0"))
    #expect(cluster.addresses("b") == "1.2.3.0")
    cluster.apply(service("a"))
    #expect(cluster.addresses("a") == "1.2.3.1")
  }

  @Test func `a manual pool's address does not come back to a service that no longer asks for it`() {
    var cluster = Cluster(pool("a", "1.2.3.0/30"), pool("manual", "1.2.4.0/30", autoAssign: false))
    cluster.apply(service("s", pool: "manual"))
    cluster.delete("s")
    cluster.apply(service("s"))
    #expect(cluster.addresses("s") == "1.2.3.0")
  }

  @Test func `a clock that goes back ends no rest and traps nowhere`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("a"))
    cluster.delete("a")
    cluster.settle(after: -1000)
    cluster.settle(after: .nan)
    cluster.now = 0
    cluster.apply(service("b"))
    #expect(cluster.addresses("b") == "1.2.3.1")
  }

  @Test func `a shared address rests only when its last holder leaves`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/30"))
    cluster.apply(service("a", key: "k"), service("b", key: "k", ports: [81]))
    #expect(cluster.addresses("b") == "1.2.3.0")
    cluster.delete("a")
    cluster.apply(service("c", key: "k"))
    #expect(cluster.addresses("c") == "1.2.3.0")
    cluster.delete("b", "c")
    cluster.apply(service("d"))
    #expect(cluster.addresses("d") == "1.2.3.1")
  }
}
