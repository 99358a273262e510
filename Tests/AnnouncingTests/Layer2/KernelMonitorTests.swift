import Addresses
import EventLoop
import TestKit
import Testing

@testable import Announcing

@Suite("what the kernel tells of links and addresses") struct KernelMonitorTests {
  static let mine = ip("10.101.0.50")

  @Test(
    "first comes everything that is there, then what changes: up, down, carrier, rename, delete",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func links() throws {
    try NetworkNamespace.run {
      try NetworkNamespace.ip(all: [
        "link add v0 address 02:00:00:00:00:0a type veth peer name v1", "address add 10.101.0.1/24 dev v0",
      ])
      let view = try KernelView()
      let index = try view.index("v0")
      try #require(try index == NetworkNamespace.index(of: "v0"))
      try #require(view.link("v0")?.mac == MACAddress("02:00:00:00:00:0a"))
      try #require(view.link("v0")?.flags.contains(.up) == false)
      try #require(view.link("lo")?.flags.contains(.loopback) == true && view.link("lo")?.mac == nil)
      let there = try #require(view.address(ip("10.101.0.1"), on: "v0"))
      try #require(there.prefixLength == 24 && there.validSeconds == nil && !there.isOfRoadstead)
      try #require(view.reports.last == .complete && view.restarts == 0)

      try NetworkNamespace.ip("link set v0 up")
      try view.wait("up without a carrier") {
        $0.link("v0")?.flags.contains(.up) == true && $0.link("v0")?.flags.contains(.lowerUp) == false
      }
      try NetworkNamespace.ip("link set v1 up")
      try view.wait("the carrier") { $0.link("v0")?.flags.contains(.lowerUp) == true }
      try NetworkNamespace.ip("link set v0 down")
      try view.wait("down") { $0.link("v0")?.flags.contains(.up) == false }
      try NetworkNamespace.ip("link set v0 name eth0.1")
      try view.wait("the new name") { $0.links[index]?.name == "eth0.1" }
      try NetworkNamespace.ip("link delete eth0.1")
      try view.wait("the end of both") { $0.link("eth0.1") == nil && $0.link("v1") == nil }
      try #require(view.monitor?.malformed == 0)
    }
  }

  @Test(
    "a bridge's port is known by its master, and leaving the bridge is not the end of the link",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func bridgePorts() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let view = try KernelView()
      let index = try view.index("v0")
      try NetworkNamespace.ip(all: ["link add br0 type bridge", "link set v0 master br0"])
      try view.wait("the master") { $0.link("br0") != nil && $0.link("v0")?.master == $0.link("br0")?.index }
      try NetworkNamespace.ip("link set v0 nomaster")
      try view.wait("no master") { $0.link("v0")?.master == 0 }
      // Both the bridge's word that the port is gone and what follows it have come.
      try NetworkNamespace.ip("link set v0 alias told")
      let before = view.reports.count
      try NetworkNamespace.ip("link set v1 down")
      try view.wait("the next event") { $0.reports.count > before && $0.link("v1")?.flags.contains(.up) == false }
      try #require(view.links[index] != nil)
      try #require(!view.reports.contains(.event(.linkGone(index: index))))
      // On top of another: its own link, no port.
      try NetworkNamespace.ip("link add mac0 link v0 type macvlan mode bridge")
      try view.wait("the macvlan") { $0.link("mac0")?.master == 0 && $0.link("mac0")?.mac != nil }
    }
  }

  @Test(
    "an address that somebody takes away, or that falls with its link, is told of",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func addressesTakenAway() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let view = try KernelView()
      let table = try AddressTable()
      let (index, six) = (try view.index("v0"), ip("fd00::50"))
      for address in [Self.mine, six] { try table.put(address, on: index) }
      try view.wait("both") { $0.address(Self.mine, on: "v0") != nil && $0.address(six, on: "v0") != nil }
      try NetworkNamespace.ip("address delete 10.101.0.50/32 dev v0")
      try view.wait("its end") { $0.address(Self.mine, on: "v0") == nil }
      try NetworkNamespace.ip("link set v0 down")
      try view.wait("the IPv6 one's end") { $0.address(six, on: "v0") == nil }
    }
  }

  @Test(
    "when messages were lost everything is read anew, and the picture is right",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func overrun() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let view = try KernelView(room: 4096)
      let table = try AddressTable()
      let index = try view.index("v0")
      let addresses = (1...200).map { IPAddress(v4: 0x0a65_0000 + $0) }
      // Nobody listens meanwhile.
      for address in addresses { try table.put(address, on: index) }
      for address in addresses.dropLast(20) { try table.remove(address, from: index) }
      try view.wait("the overrun and the dump after it") { $0.restarts > 0 && $0.isComplete }
      try #require(try #require(view.monitor).overruns > 0)
      let known = Set((view.link("v0")?.addresses ?? []).map(\.address).filter { $0.family == .v4 })
      try #require(known == Set(addresses.suffix(20)))
    }
  }

  @Test(
    "a storm of events leaves the loop its turns",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func storm() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let view = try KernelView()
      let table = try AddressTable()
      let index = try view.index("v0")
      let before = view.reports.count
      let storm = 4 * LinkMonitor.messagesPerTurn
      for _ in 0..<storm { try table.put(Self.mine, on: index) }
      // The first look of the driver comes after one turn at the latest.
      let first = TurnProbe(view)
      view.loop.addTurnHandler(first)
      view.loop.askForTurnEnd()
      try view.wait("all of them") { $0.reports.count >= before + storm }
      try #require(first.most <= LinkMonitor.messagesPerTurn)
    }
  }

  @Test(
    "monitors, tables, packet sockets and groups leave no socket behind",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func leavesNoSocket() throws {
    try NetworkNamespace.run {
      // The namespace's own tables: other tests' descriptors do not count. The kernel's netlink sockets have port 0, and
      // it joins groups of its own in its own time.
      func rows(_ table: String) throws -> [[Substring]] {
        try NetworkNamespace.lines(of: "/proc/thread-self/net/\(table)").dropFirst().map { $0.split(separator: " ") }
      }
      func sockets() throws -> [Int] {
        let groups = try KernelGroupTests.joined("v0")
        return try [
          rows("netlink").filter { $0.count > 2 && $0[2] != "0" }.count, rows("packet").count,
          groups.contains("ff0200000000000000000001ff000050") ? 1 : 0,
        ]
      }
      try KernelAddressTests.cable()
      let index = try NetworkNamespace.index(of: "v0")
      for _ in 0..<3 {
        let view = try KernelView()
        let table = try AddressTable()
        let groups = SolicitedNodeGroups()
        try #require(groups.join(ip("fd00::50"), on: index) == nil)
        let arp = try PacketSocket(loop: view.loop, .arp) { _, _ in }
        let neighbours = try PacketSocket(loop: view.loop, .neighbourDiscovery) { _, _ in }
        try table.put(Self.mine, on: index)
        // The netlink table is all namespaces', and misses a row at times while others change it.
        try eventually("two of each and a group") { try sockets() == [2, 2, 1] }
        withExtendedLifetime((view, groups, arp, neighbours)) {}
      }
      try #require(try sockets() == [0, 0, 0])
    }
  }
}

/// The most reports of a monitor between two ends of turns.
private final class TurnProbe: EventHandler {
  private let view: KernelView
  private var last: Int
  private(set) var most = 0

  init(_ view: KernelView) {
    self.view = view
    last = view.reports.count
  }

  override func turnEnded() {
    most = max(most, view.reports.count - last)
    last = view.reports.count
    view.loop.askForTurnEnd()
  }
}
