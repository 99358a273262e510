import Addresses
import Announcing
import Testing

@Suite struct DualStackTests {
  static let both: [IPAddress.Family] = [.v4, .v6]

  @Test func `both addresses come from one pool, and a pool with both is preferred`() {
    var cluster = Cluster(pool("a4", "1.0.0.0/30"), pool("b6", "fd00::/126"), pool("c", "2.0.0.0/30", "fd01::/126"))
    for policy in [AddressRequest.FamilyPolicy.preferDualStack, .requireDualStack] {
      cluster.apply(service("s", Self.both, policy))
      #expect(cluster.addresses("s") == "2.0.0.0 fd01::")
      cluster.delete("s")
    }
    #expect(cluster.addresses("s") == "unknown")
  }

  @Test func `without a pool with both PreferDualStack takes its first family, RequireDualStack waits`() {
    var cluster = Cluster(pool("a6", "fd00::/126"), pool("b4", "1.0.0.0/30"))
    cluster.apply(
      service("four", Self.both), service("six", [.v6, .v4]), service("must", Self.both, .requireDualStack))
    #expect(cluster.addresses("four") == "1.0.0.0")
    #expect(cluster.addresses("six") == "fd00::")
    #expect(cluster.lacks("four") == "pool b4 has no IPv6 addresses; default/four goes without IPv6")
    #expect(cluster.lacks("six") == "pool a6 has no IPv4 addresses; default/six goes without IPv4")
    #expect(
      cluster.lacks("must")
        == "none of the pools a6, b4 has both IPv4 and IPv6 addresses, which RequireDualStack needs; default/must waits"
    )
    #expect(cluster.allocator.outcome(of: named("four"))?.lacks?.eventReason == .additionalAssignFailed)
  }

  @Test func `PreferDualStack takes its second family where the first is nowhere`() {
    var cluster = Cluster(pool("a6", "fd00::/126"))
    cluster.apply(service("s", Self.both))
    #expect(cluster.addresses("s") == "fd00::")
    #expect(cluster.lacks("s") == "pool a6 has no IPv4 addresses; default/s goes without IPv4")
  }

  @Test func `the second address is added when the pool gets its family, and the first stays`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30"))
    cluster.apply(service("s", Self.both))
    cluster.replacePools(pool("a", "1.0.0.0/30"), pool("both", "2.0.0.0/30", "fd02::/126"))
    #expect(cluster.addresses("s") == "1.0.0.0")
    cluster.replacePools(pool("a", "1.0.0.0/30", "fd00::/126"), pool("both", "2.0.0.0/30", "fd02::/126"))
    #expect(cluster.addresses("s") == "1.0.0.0 fd00::")
    #expect(cluster.events == ["default/s also has fd00:: from pool a"])
    #expect(cluster.lacks("s") == "")
  }

  @Test func `from one family to two and back moves nothing that stays wanted`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30", "fd00::/126"))
    cluster.apply(service("s"))
    cluster.apply(service("s", Self.both))
    #expect(cluster.addresses("s") == "1.0.0.0 fd00::")
    cluster.apply(service("s", [.v6, .v4], .requireDualStack))
    #expect(cluster.addresses("s") == "fd00:: 1.0.0.0")
    cluster.apply(service("s", [.v6]))
    #expect(cluster.addresses("s") == "fd00::")
    #expect(cluster.events == ["default/s gives up 1.0.0.0: it no longer has the address family IPv4"])
    cluster.apply(service("s", [.v4]))
    #expect(cluster.addresses("s") == "1.0.0.0")
  }

  @Test func `from PreferDualStack to RequireDualStack and back clears and restores`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30"))
    cluster.apply(service("t"), service("s", Self.both))
    #expect(cluster.addresses("s") == "1.0.0.0")
    cluster.apply(service("s", Self.both, .requireDualStack))
    #expect(cluster.addresses("s") == "")
    #expect(
      cluster.events == [
        "default/s gives up 1.0.0.0: RequireDualStack needs both families, and pool a has no IPv6 addresses",
        "pool a does not have both IPv4 and IPv6 addresses, which RequireDualStack needs; default/s waits",
      ])
    cluster.apply(service("s", Self.both))
    #expect(cluster.addresses("s") == "1.0.0.0")
    cluster.replacePools(pool("a", "1.0.0.0/30"), pool("b", "2.0.0.0/30", "fd02::/126"))
    cluster.apply(service("s", Self.both, .requireDualStack))
    #expect(cluster.addresses("s") == "2.0.0.0 fd02::")
  }

  @Test func `a pool that loses a family keeps the other for PreferDualStack and moves RequireDualStack`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30", "fd00::/126"), pool("b", "2.0.0.0/30", "fd02::/126"))
    cluster.apply(service("prefers", Self.both), service("requires", Self.both, .requireDualStack))
    #expect(cluster.addresses("requires") == "1.0.0.1 fd00::1")
    cluster.replacePools(pool("a", "1.0.0.0/30"), pool("b", "2.0.0.0/30", "fd02::/126"))
    #expect(cluster.addresses("prefers") == "1.0.0.0")
    #expect(cluster.lacks("prefers") == "pool a has no IPv6 addresses; default/prefers goes without IPv6")
    #expect(cluster.addresses("requires") == "2.0.0.0 fd02::")
  }

  @Test func `a pool split by family keeps both addresses`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30", "fd00::/126"))
    cluster.apply(service("s", Self.both, .requireDualStack), service("t", Self.both))
    cluster.replacePools(pool("a4", "1.0.0.0/30"), pool("a6", "fd00::/126"))
    #expect(cluster.addresses("s") == "1.0.0.0 fd00::")
    #expect(cluster.pools("t") == "a4 a6")
    #expect(cluster.lacks("s") == "")
  }

  @Test func `one asked address is completed from its pool`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30", "fd00::/126"), pool("b", "2.0.0.0/30", "fd02::/126"))
    cluster.apply(
      service("s", Self.both, asks: "2.0.0.3"), service("t", Self.both, .requireDualStack, asks: "fd02::2"))
    #expect(cluster.addresses("s") == "2.0.0.3 fd02::")
    #expect(cluster.addresses("t") == "2.0.0.0 fd02::2")
  }

  @Test func `two asked addresses must be of one pool`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30", "fd00::/126"), pool("b", "2.0.0.0/30", "fd02::/126"))
    cluster.apply(
      service("good", Self.both, asks: "1.0.0.1", "fd00::1"),
      service("bad", Self.both, .requireDualStack, asks: "1.0.0.2", "fd02::2"))
    #expect(cluster.addresses("good") == "1.0.0.1 fd00::1")
    #expect(cluster.addresses("bad") == "")
    #expect(
      cluster.lacks("bad")
        == "1.0.0.2 is in pool a and fd02::2 in pool b; both must come from one pool; default/bad waits")
  }

  @Test func `a full family of a pool with both is named`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30", "fd00::/128"))
    cluster.apply(service("s", [.v6]), service("t", Self.both), service("u", Self.both, .requireDualStack))
    #expect(cluster.addresses("t") == "1.0.0.0")
    #expect(cluster.lacks("t") == "pool a has no free IPv6 address: 1 of 1 in use; default/t goes without IPv6")
    #expect(cluster.lacks("u") == "pool a has no free IPv6 address: 1 of 1 in use; default/u waits")
    cluster.delete("s")
    #expect(cluster.addresses("t") == "1.0.0.0 fd00::")
  }

  @Test func `SingleStack of two families takes the first`() {
    var cluster = Cluster(pool("a", "1.0.0.0/30", "fd00::/126"))
    cluster.apply(service("s", [.v6, .v4], .singleStack), service("t", [.v6, .v6, .v6], .preferDualStack))
    #expect(cluster.addresses("s") == "fd00::")
    #expect(cluster.addresses("t") == "fd00::1")
  }

  @Test func `an IPv6 pool of all addresses is no burden`() {
    var cluster = Cluster(pool("a", "::/0"))
    cluster.apply(service("s", [.v6]), service("t", [.v6], asks: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
    #expect(cluster.addresses("s") == "::")
    #expect(cluster.addresses("t") == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    cluster.delete("s", "t")
    cluster.settle(after: 61)
    #expect(cluster.allocator.usage.map(\.inUse) == [0])
  }
}
