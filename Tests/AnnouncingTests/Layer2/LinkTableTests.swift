import Addresses
import Testing

@testable import Announcing

@Suite struct LinkTableTests {
  @Test func `links keep their addresses when they change, and lose them when they go`() {
    var table = LinkTable(testLink(2, "eth0", "192.0.2.1/24"))
    var changed = testLink(2, "lan0")
    changed.flags.remove(.lowerUp)
    table.apply(.link(changed))
    #expect(table[2]?.addresses.map(\.address) == [ip("192.0.2.1")])
    #expect(table["eth0"] == nil)
    #expect(table["lan0"]?.index == 2)
    table.apply(.linkGone(index: 2))
    #expect(table[2] == nil)
    #expect(table.holder(of: ip("192.0.2.1")) == nil)
    table.apply(.link(testLink(2, "eth0")))
    #expect(table[2]?.addresses == [])
  }

  @Test func `an address is one by its prefix too, and is replaced when it is told again`() {
    var table = LinkTable(testLink(2, "eth0", "192.0.2.1/24", "192.0.2.1/32"))
    let renewed = LinkAddress(address: ip("192.0.2.1"), prefixLength: 24, flags: [.noPrefixRoute], validSeconds: 9)
    table.apply(.address(renewed, index: 2))
    #expect(table[2]?.addresses.map(\.prefixLength) == [24, 32])
    #expect(table[2]?.addresses.first == renewed)
    table.apply(.addressGone(ip("192.0.2.1"), prefixLength: 24, index: 2))
    #expect(table[2]?.addresses.map(\.prefixLength) == [32])
    table.apply(.addressGone(ip("192.0.2.7"), prefixLength: 24, index: 2))
    table.apply(.address(renewed, index: 77))
    table.apply(.linkGone(index: 77))
    #expect(table.all.map(\.index) == [2])
  }

  @Test func `subnets and holders follow the addresses`() throws {
    var table = LinkTable(testLink(3, "eth1", "192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/32"), testLink(2, "eth0"))
    let (eth0, eth1) = (try #require(table[2]), try #require(table[3]))
    #expect(table.all.map(\.index) == [2, 3])
    #expect(table.subnets(of: eth1, .v4) == [IPPrefix("192.0.2.0/24")])
    #expect(table.subnets(of: eth0, .v4) == [] && table.subnets(of: eth1, .v6) == [])
    table.apply(.addressGone(ip("192.0.2.1"), prefixLength: 24, index: 3))
    #expect(table.subnets(of: eth1, .v4) == [IPPrefix("192.0.2.0/24")])
    table.apply(.addressGone(ip("192.0.2.2"), prefixLength: 24, index: 3))
    #expect(table.subnets(of: eth1, .v4) == [])
    #expect(table.holdings(of: ip("192.0.2.3"), on: 3).map(\.prefixLength) == [32])
    #expect(table.holdings(of: ip("192.0.2.3"), on: 2) == [] && table.holdings(of: ip("192.0.2.1"), on: 3) == [])
    table.apply(.linkGone(index: 3))
    table.set(testLink(3, "eth1"))
    #expect(table.holdings(of: ip("192.0.2.3"), on: 3) == [] && table.holder(of: ip("192.0.2.3")) == nil)
  }

  @Test func `own link-layer addresses are those of all links, as they are now`() {
    var table = LinkTable(testLink(2, "eth0"), testLink(3, "eth1"))
    #expect(table.ownMACs == [mac("02:00:00:00:00:02"), mac("02:00:00:00:00:03")])
    var changed = testLink(3, "eth1")
    changed.mac = mac("02:00:00:00:00:99")
    table.apply(.link(changed))
    table.apply(.linkGone(index: 2))
    #expect(table.ownMACs == [mac("02:00:00:00:00:99")])
  }

  @Test func `a holder that is not of Roadstead comes first`() {
    var table = LinkTable(testLink(2, "eth0"), testLink(3, "eth1", "192.0.2.9/24"))
    let own = LinkAddress(address: ip("192.0.2.9"), prefixLength: 32, flags: [.noPrefixRoute], validSeconds: 8)
    table.apply(.address(own, index: 2))
    #expect(table.holder(of: ip("192.0.2.9"))?.0.name == "eth1")
    table.apply(.addressGone(ip("192.0.2.9"), prefixLength: 24, index: 3))
    #expect(table.holder(of: ip("192.0.2.9"))?.0.name == "eth0")
    #expect(table.holder(of: ip("192.0.2.9"))?.1.isOfRoadstead == true)
    #expect(table.holder(of: ip("192.0.2.8")) == nil)
  }

  @Test func `what makes an interface unfit is named`() {
    let changes: [((inout Link) -> Void, InterfaceProblem?)] = [
      ({ $0.flags.insert(.loopback) }, .isLoopback), ({ $0.flags.remove(.up) }, .isDown),
      ({ $0.flags.remove(.lowerUp) }, .hasNoCarrier), ({ $0.master = 9 }, .isEnslaved(to: "bond0")),
      ({ $0.master = 8 }, .isEnslaved(to: "interface 8")), ({ $0.flags.insert(.noARP) }, .hasNoARP),
      ({ $0.mac = nil }, .hasNoMAC), ({ $0.mac = MACAddress(bits: 0) }, .hasNoMAC), ({ $0.name = "bond0.7" }, nil),
    ]
    for (change, problem) in changes {
      let link = testLink(2, "eth0", "192.0.2.1/24").with(change)
      let table = LinkTable(link, testLink(9, "bond0"))
      #expect(table.problem(of: link, .v4) == problem)
      #expect(table.problem(of: link, .v6) == problem)
    }
  }

  @Test func `ARP needs a broadcast network, neighbour discovery does not`() {
    var link = testLink(2, "eth0")
    link.flags.remove(.broadcast)
    let table = LinkTable(link)
    #expect(table.problem(of: link, .v4) == .hasNoARP)
    #expect(table.problem(of: link, .v6) == nil)
  }
}
