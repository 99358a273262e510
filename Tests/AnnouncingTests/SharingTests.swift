import Announcing
import Testing

@Suite struct SharingTests {
  /// The second request beside a first one on the pool's only address.
  @Test(arguments: [
    ("same key, other port", service("b", key: "k", ports: [81]), true),
    ("same key, same port by UDP", service("b", key: "k", ports: [], udp: [80]), true),
    ("same key, same port", service("b", key: "k"), false),
    ("same key, one of two ports taken", service("b", key: "k", ports: [81, 80]), false),
    ("other key", service("b", key: "l", ports: [81]), false),
    ("no key", service("b", ports: [81]), false),
    ("empty key", service("b", key: "", ports: [81]), false),
    ("policy Local", service("b", key: "k", ports: [81], local: "app=web"), false),
  ])
  func `two services share an address when key, ports and policy agree`(
    _ name: String, _ second: AddressRequest, _ shares: Bool
  ) {
    var cluster = Cluster(pool("lab", "1.2.3.4/32"))
    cluster.apply(service("a", key: "k"))
    cluster.apply(second)
    #expect(cluster.addresses("b") == (shares ? "1.2.3.4" : ""), "\(name)")
    // The same when it asks for the address.
    var asking = second
    asking.requestedAddresses = [ip("1.2.3.4")]
    cluster.apply(asking)
    #expect(cluster.addresses("b") == (shares ? "1.2.3.4" : ""), "\(name), asked for")
  }

  @Test func `with policy Local sharers need the same selector`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/31"))
    cluster.apply(service("a", key: "k", local: "app=web"))
    cluster.apply(
      service("b", asks: "1.2.3.4", key: "k", ports: [81], local: "app=web"),
      service("c", asks: "1.2.3.4", key: "k", ports: [82], local: "app=was"))
    #expect(cluster.addresses("b") == "1.2.3.4")
    #expect(
      cluster.lacks("c")
        == "1.2.3.4 is held by default/a, and with externalTrafficPolicy Local all sharers need it and the same "
        + "selector; default/c waits")
  }

  @Test func `each refusal to share names the holder and what differs`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/32"))
    cluster.apply(service("a", key: "k"))
    cluster.apply(service("b", asks: "1.2.3.4", key: "k"))
    #expect(cluster.lacks("b") == "1.2.3.4 is held by default/a, which has TCP/80 on it; default/b waits")
    cluster.apply(service("b", asks: "1.2.3.4", key: "l", ports: [81]))
    #expect(
      cluster.lacks("b") == "1.2.3.4 is held by default/a, whose metallb.io/allow-shared-ip is 'k'; default/b waits")
  }

  @Test func `the only holder of an address may change its key in place`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/31"))
    cluster.apply(service("a", key: "k"))
    cluster.apply(service("a", key: "l"))
    #expect(cluster.addresses("a") == "1.2.3.4")
    cluster.apply(service("b", key: "l", ports: [81]))
    #expect(cluster.addresses("b") == "1.2.3.4")
  }

  @Test func `one of two sharers that changes its key moves, the other stays`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/31"))
    cluster.apply(service("a", key: "k"), service("b", key: "k", ports: [81]))
    cluster.apply(service("a", key: "l"))
    #expect(cluster.addresses("a") == "1.2.3.5")
    #expect(cluster.addresses("b") == "1.2.3.4")
    #expect(
      cluster.lastChange("a")
        == "default/a has 1.2.3.5 from pool lab instead of 1.2.3.4: 1.2.3.4 is held by default/b, whose "
        + "metallb.io/allow-shared-ip is 'k'")
  }

  @Test func `two sharers that change their key together stay together`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/31"))
    cluster.apply(service("a", key: "k"), service("b", key: "k", ports: [81]))
    cluster.apply(service("a", key: "l"), service("b", key: "l", ports: [81]))
    #expect(cluster.addresses("a") == "1.2.3.4")
    #expect(cluster.addresses("b") == "1.2.3.4")
    #expect(cluster.events.isEmpty)
  }

  @Test func `nobody moves for a sharer that leaves in the same step`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/31"))
    cluster.apply(service("a", [.v4, .v6], key: "k"))
    cluster.apply(service("b", pool: "lab", key: "k", ports: [81]))
    #expect(cluster.addresses("b") == "1.2.3.4")
    // They no longer agree, a came first, and a gives up: b need not go.
    cluster.apply(
      service("a", [.v4, .v6], .requireDualStack, key: "k", local: "app=a"),
      service("b", pool: "lab", key: "k", ports: [81], local: "app=b"))
    #expect(cluster.addresses("a") == "")
    #expect(cluster.addresses("b") == "1.2.3.4")
  }

  @Test func `two sharers that both have to give up do not hand the address to and fro`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/31"))
    cluster.apply(service("a", [.v4, .v6], key: "k"), service("b", [.v4, .v6], key: "k", ports: [81]))
    cluster.apply(
      service("a", [.v4, .v6], .requireDualStack, key: "k", local: "app=a"),
      service("b", [.v4, .v6], .requireDualStack, key: "k", ports: [81], local: "app=b"))
    #expect(cluster.addresses("a") == "")
    #expect(cluster.addresses("b") == "")
  }

  @Test func `a sharer that takes a port of another has to leave`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/31"))
    cluster.apply(service("a", key: "k"), service("b", key: "k", ports: [81]))
    cluster.apply(service("b", key: "k", ports: [80, 81]))
    #expect(cluster.addresses("a") == "1.2.3.4")
    #expect(cluster.addresses("b") == "1.2.3.5")
  }

  @Test func `sharing is judged again as policies and selectors change`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/32"))
    let a = service("a", key: "k")
    let b = service("b", key: "k", ports: [81])
    func local(_ request: AddressRequest, _ selector: String) -> AddressRequest {
      var request = request
      request.localPolicySelector = selector
      return request
    }
    cluster.apply(a, b)
    #expect(cluster.addresses("b") == "1.2.3.4")
    cluster.apply(local(b, "app=b"))
    #expect(cluster.addresses("b") == "")
    #expect(cluster.addresses("a") == "1.2.3.4")
    cluster.apply(local(a, "app=b"))
    #expect(cluster.addresses("a") == "1.2.3.4")
    #expect(cluster.addresses("b") == "1.2.3.4")
    cluster.apply(local(a, "app=a"))
    #expect(cluster.addresses("a") == "")
    #expect(cluster.addresses("b") == "1.2.3.4")
    cluster.apply(local(b, "app=a"))
    #expect(cluster.addresses("a") == "1.2.3.4")
    #expect(cluster.addresses("b") == "1.2.3.4")
  }

  @Test func `a service that can share does so rather than take a new address`() {
    var cluster = Cluster(pool("lab", "1.2.3.0/29"))
    cluster.apply(service("a"), service("b", key: "k"))
    cluster.delete("a")
    cluster.settle(after: 61)
    cluster.apply(service("c", key: "k", ports: [81]))
    #expect(cluster.addresses("c") == "1.2.3.1")
  }

  @Test func `one that waits shares an address that becomes shareable`() {
    var cluster = Cluster(pool("lab", "1.2.3.4/32"))
    cluster.apply(service("a"), service("b", key: "k", ports: [81]))
    #expect(cluster.addresses("b") == "")
    cluster.apply(service("a", key: "k"))
    #expect(cluster.addresses("b") == "1.2.3.4")
  }
}
