import Addresses
import Announcing
import Testing

@Suite struct PoolAdmissionTests {
  @Test func `bad pools are refused by name and the others stay`() {
    let admission = PoolAdmission([
      pool("good", "10.0.0.0/24"),
      pool("empty"),
      pool("twisted", "10.1.0.0/24", "10.1.0.10-10.1.0.20"),
      pool("late", "10.0.0.200-10.0.1.10"),
      pool("", "10.9.0.0/24"),
      pool("twin", "10.2.0.0/24"), pool("twin", "10.3.0.0/24"),
      pool("six", "fd00::/64"),
    ])
    #expect(admission.admitted.map(\.name) == ["good", "six", "twin"])
    #expect(
      admission.problems.map(\.description) == [
        "a pool has no name",
        "pool empty has no addresses",
        "pool late: 10.0.0.200-10.0.1.10 overlaps 10.0.0.0-10.0.0.255 of pool good",
        "pool twin is there more than once",
        "pool twisted: its ranges 10.1.0.0-10.1.0.255 and 10.1.0.10-10.1.0.20 overlap",
      ])
  }

  @Test func `a new pool never takes down one in force, however it is named`() {
    let lab = pool("lab", "10.0.0.0/24")
    let admission = PoolAdmission([pool("aaa", "10.0.0.128/25"), lab], inForce: [lab])
    #expect(admission.admitted == [lab])
    #expect(admission.problems.map(\.pool) == ["aaa"])
  }

  @Test func `a pool whose edit is bad stays as it was`() {
    var cluster = Cluster(pool("a", "10.0.0.0/30"), pool("b", "10.0.1.0/30"))
    cluster.apply(service("s", pool: "b"))
    cluster.replacePools(pool("a", "10.0.0.0/30"), pool("b", "10.0.0.0/16"))
    #expect(cluster.addresses("s") == "10.0.1.0")
    #expect(
      cluster.last.poolProblems.map(\.description) == [
        "pool b: 10.0.0.0-10.0.255.255 overlaps 10.0.0.0-10.0.0.3 of pool a; its last good version stays"
      ])
    #expect(cluster.events.isEmpty)
    #expect(cluster.allocator.poolsInForce.map(\.name) == ["a", "b"])
  }

  @Test func `two pools may swap their ranges in one edit`() {
    let (a, b) = (pool("a", "10.0.0.0/30"), pool("b", "10.0.1.0/30"))
    let admission = PoolAdmission([pool("a", "10.0.1.0/30"), pool("b", "10.0.0.0/30")], inForce: [a, b])
    #expect(admission.problems.isEmpty)
  }

  @Test func `who asks for a refused pool is told why it is refused`() {
    var cluster = Cluster(pool("a", "10.0.0.0/30"), pool("b", "10.0.0.2/31"))
    cluster.apply(service("s", pool: "b"))
    #expect(
      cluster.lacks("s")
        == "the pool it asks for is refused: pool b: 10.0.0.2-10.0.0.3 overlaps 10.0.0.0-10.0.0.3 of pool a; "
        + "default/s waits")
    cluster.replacePools(pool("a", "10.0.0.0/31"), pool("b", "10.0.0.2/31"))
    #expect(cluster.addresses("s") == "10.0.0.2")
  }
}
