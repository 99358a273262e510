import Addresses
import Testing

@testable import Announcing

@Suite struct InterfaceChoiceTests {
  private func choose(
    _ address: String, on interfaces: InterfaceScope = .fitting, _ links: LinkTable, current: Set<CInt> = []
  ) -> InterfaceChoice {
    .choose(Announcement(ip(address), on: interfaces), among: links, current: current)
  }

  private func refusals(_ choice: InterfaceChoice) -> [String] {
    choice.refusals.map { "\($0.interface): \($0.obstacle)" }
  }

  private let lo = testLink(1, "lo", "127.0.0.1/8", "::1/128").with { $0.flags = [.up, .loopback, .lowerUp] }

  @Test func `the interface whose subnet holds the address is chosen`() {
    let links = LinkTable(lo, testLink(2, "eth0", "10.0.0.1/24"), testLink(3, "eth1", "192.0.2.1/24", "fd00::1/64"))
    #expect(choose("192.0.2.9", links) == InterfaceChoice(chosen: [3]))
    #expect(choose("fd00::9", links) == InterfaceChoice(chosen: [3]))
    #expect(choose("10.0.0.200", links) == InterfaceChoice(chosen: [2]))
  }

  @Test func `the longest prefix decides, and a host's prefix is no subnet`() {
    let links = LinkTable(
      testLink(2, "eth0", "10.0.0.1/8"), testLink(3, "eth1", "10.1.0.1/16"), testLink(4, "eth2", "10.1.2.3/32"))
    #expect(choose("10.1.2.4", links).chosen == [3])
    #expect(choose("10.2.2.4", links).chosen == [2])
  }

  @Test func `where no subnet holds it, all that MetalLB would use are chosen`() {
    let links = LinkTable(
      lo, testLink(2, "eth0", "10.0.0.1/24"), testLink(3, "bond0.7", "10.0.7.1/24"),
      testLink(4, "docker0", "172.17.0.1/16"),
      testLink(5, "cali1234"), testLink(6, "vethab"), testLink(7, "lo1"), testLink(8, "kube-ipvs0"))
    #expect(choose("192.0.2.9", links) == InterfaceChoice(chosen: [2, 3, 7]))
  }

  @Test func `a subnet holds it whatever the interface is called`() {
    let links = LinkTable(testLink(2, "eth0", "10.0.0.1/24"), testLink(4, "docker0", "172.17.0.1/16"))
    #expect(choose("172.17.0.9", links).chosen == [4])
  }

  @Test func `an IPv6 address that no subnet holds needs interfaces where IPv6 is on`() {
    let links = LinkTable(
      testLink(2, "eth0", "10.0.0.1/24"), testLink(3, "eth1", "fe80::1/64"), testLink(4, "eth2", "fe80::2/64"))
    #expect(choose("2001:db8::9", links).chosen == [3, 4])
  }

  @Test func `two interfaces on one LAN: one is chosen, and neither may answer for the other`() {
    let links = LinkTable(
      testLink(2, "eth0", "192.0.2.1/24"), testLink(3, "eth1", "192.0.2.2/24"), testLink(4, "eth2", "10.0.0.1/24"))
    let choice = choose("192.0.2.9", links)
    #expect(choice.chosen == [2])
    #expect(choice.needsARPIgnore == [2, 3])
    #expect(choose("10.0.0.9", links).needsARPIgnore == [])
  }

  @Test func `the other takes over when the link is lost, and the first does not take it back`() {
    var links = LinkTable(testLink(2, "eth0", "192.0.2.1/24"), testLink(3, "eth1", "192.0.2.2/24"))
    #expect(choose("192.0.2.9", links, current: [2]).chosen == [2])
    links.set(testLink(2, "eth0").with { $0.flags.remove(.lowerUp) })
    let moved = choose("192.0.2.9", links, current: [2])
    #expect(moved.chosen == [3])
    #expect(moved.needsARPIgnore == [])
    links.set(testLink(2, "eth0"))
    let back = choose("192.0.2.9", links, current: [3])
    #expect(back.chosen == [3])
    #expect(back.needsARPIgnore == [2, 3])
  }

  @Test func `of those on one LAN one is chosen also where no subnet holds the address`() {
    let links = LinkTable(
      testLink(2, "eth0", "10.0.0.1/24", "169.254.1.1/16", "fe80::1/64"),
      testLink(3, "eth1", "10.0.0.2/24", "169.254.1.2/16", "fe80::2/64"),
      testLink(4, "eth2", "10.0.1.2/24", "169.254.1.3/16", "fe80::3/64"))
    #expect(choose("192.0.2.9", links).chosen == [2, 4])
    #expect(choose("192.0.2.9", links, current: [3, 4]).chosen == [3, 4])
    #expect(choose("2001:db8::9", links).chosen == [2, 4])
  }

  @Test func `an address whose LAN is away is not announced on another`() {
    let links = LinkTable(
      testLink(2, "eth0", "192.0.2.1/24").with { $0.flags.remove(.lowerUp) }, testLink(3, "eth1", "10.0.0.1/24"))
    let choice = choose("192.0.2.9", links)
    #expect(choice.chosen == [])
    #expect(refusals(choice) == ["eth0: interface eth0 has no carrier"])
  }

  @Test func `a wider subnet serves while the narrower one's link is away`() {
    let links = LinkTable(
      testLink(2, "eth0", "10.0.0.1/24").with { $0.flags.remove(.up) }, testLink(3, "eth1", "10.1.0.1/8"))
    #expect(choose("10.0.0.9", links) == InterfaceChoice(chosen: [3]))
  }

  @Test func `ports of a bridge, interfaces without ARP and loopbacks are no use`() {
    let links = LinkTable(
      lo, testLink(2, "eth0", "192.0.2.1/24").with { $0.master = 3 }, testLink(3, "br0"),
      testLink(4, "tun0", "192.0.2.2/24").with { $0.flags.insert(.noARP) })
    #expect(
      refusals(choose("192.0.2.9", links)) == [
        "eth0: interface eth0 is a port of br0", "tun0: interface tun0 does no ARP",
      ])
    #expect(refusals(choose("127.0.0.9", links)) == ["lo: interface lo is a loopback"])
    #expect(choose("10.0.0.9", links).chosen == [3])
  }

  @Test func `without any interface that is fit, that is said`() {
    #expect(refusals(choose("192.0.2.9", LinkTable(lo))) == [": no interface is fit for it"])
    #expect(refusals(choose("192.0.2.9", on: .named([]), LinkTable(lo))) == [": no interface is fit for it"])
  }

  @Test func `named interfaces are used whatever their names, and what is wrong with the others is said`() {
    let links = LinkTable(
      testLink(2, "eth0", "192.0.2.1/24"), testLink(3, "docker0", "172.17.0.1/16"),
      testLink(4, "eth1").with { $0.flags.remove(.up) })
    let choice = choose("10.0.0.9", on: .named(["eth0", "docker0", "eth1", "eth9"]), links)
    #expect(choice.chosen == [2, 3])
    #expect(refusals(choice) == ["eth1: interface eth1 is down", "eth9: interface eth9 does not exist"])
    #expect(choice.needsARPIgnore == [])
  }

  @Test func `two named interfaces on one LAN are both used, and neither may answer for the other`() {
    let links = LinkTable(
      testLink(2, "eth0", "192.0.2.1/24"), testLink(3, "eth1", "192.0.2.2/24"), testLink(4, "eth2", "192.0.2.3/24"))
    let choice = choose("192.0.2.9", on: .named(["eth0", "eth1"]), links)
    #expect(choice.chosen == [2, 3])
    #expect(choice.needsARPIgnore == [2, 3, 4])
    #expect(choose("fd00::9", on: .named(["eth0", "eth1"]), links).needsARPIgnore == [])
  }

  @Test func `a macvlan, what it stands on and its siblings are on one LAN`() {
    let links = LinkTable(
      testLink(2, "eth0"), testLink(3, "eth1"), testLink(4, "mac0", "192.0.2.1/24").with { $0.parent = 2 },
      testLink(5, "mac1").with { $0.parent = 2 }, testLink(6, "mac2").with { $0.parent = 3 })
    let choice = choose("192.0.2.9", links)
    #expect(choice.chosen == [4])
    #expect(choice.needsARPIgnore == [2, 4, 5])
    #expect(choose("192.0.2.9", on: .named(["eth0"]), links).needsARPIgnore == [2, 4, 5])
    // Where no subnet holds the address, one of each.
    #expect(choose("10.0.0.9", links).chosen == [2, 3])
    #expect(choose("10.0.0.9", links, current: [5]).chosen == [3, 5])
  }

  @Test func `an address that this host has otherwise is left alone`() {
    let links = LinkTable(testLink(2, "eth0", "192.0.2.9/24"), testLink(3, "kube-ipvs0", "192.0.2.8/32"))
    for scope in [InterfaceScope.fitting, .named(["eth0"])] {
      let choice = choose("192.0.2.9", on: scope, links, current: [2])
      #expect(choice.chosen == [])
      #expect(refusals(choice) == ["eth0: already on interface eth0, not put there by Roadstead"])
    }
    #expect(choose("192.0.2.8", links).refusals.map(\.interface) == ["kube-ipvs0"])
  }

  @Test func `an address that Roadstead put there is no obstacle, and no subnet`() {
    var links = LinkTable(testLink(2, "eth0", "10.0.0.1/24"), testLink(3, "eth1", "192.0.2.1/24"))
    links.apply(
      .address(
        LinkAddress(address: ip("192.0.2.9"), prefixLength: 32, flags: .noPrefixRoute, validSeconds: 8), index: 2))
    #expect(choose("192.0.2.9", links) == InterfaceChoice(chosen: [3]))
  }
}
