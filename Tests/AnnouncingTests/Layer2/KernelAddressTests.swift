import Addresses
import CLibNl
import EventLoop
import Glibc
import TestKit
import Testing

@testable import Announcing

@Suite("addresses on interfaces") struct KernelAddressTests {
  static let mine = ip("10.101.0.50")
  static let other = ip("fd00::50")

  /// Two ends of one cable, both up, in a namespace of their own.
  static func cable() throws {
    try NetworkNamespace.ip(all: ["link add v0 type veth peer name v1", "link set v0 up", "link set v1 up"])
  }

  @Test(
    "an address is added with a lifetime, renewed, and removed; the kernel tells of it",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func putAndRemove() throws {
    try NetworkNamespace.run {
      try Self.cable()
      let view = try KernelView()
      let table = try AddressTable()
      let index = try view.index("v0")
      for address in [Self.mine, Self.other] {
        try table.put(address, on: index)
        try view.wait("\(address)") { $0.address(address, on: "v0") != nil }
        let first = try #require(view.address(address, on: "v0"))
        try #require(first.isOfRoadstead)
        try #require(first.prefixLength == address.family.bitCount)
        // Usable at once: no duplicate address detection that it has to wait for.
        try #require(first.flags.contains(.noDAD) == (address.family == .v6))
        try #require(!first.flags.contains(.tentative))
        // Renewed after more than a second, its lifetime is the full one again.
        let before = view.reports.count
        try view.pass(.milliseconds(1200))
        try table.put(address, on: index)
        try view.wait("the renewal") { $0.reports.count > before }
        try #require(view.address(address, on: "v0")?.validSeconds == ClaimTimes.longestLifetime)
        try #require(view.address(address, on: "v0")?.isOfRoadstead == true)

        try table.remove(address, from: index)
        try view.wait("its end") { $0.address(address, on: "v0") == nil }
      }
      try #require(view.restarts == 0)
    }
  }

  @Test(
    "an IPv6 address is bindable at once, is no source the host chooses, and neither family adds a route",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func isUsableAtOnce() throws {
    try NetworkNamespace.run {
      try Self.cable()
      let table = try AddressTable()
      let index = try NetworkNamespace.index(of: "v0")
      try table.put(Self.other, on: index)
      _ = try UDPSocket(on: SocketAddress(Self.other, port: 0))
      try table.put(Self.mine, on: index)
      let text = try NetworkNamespace.ip("-6 address show dev v0")
      let line = try #require(text.split(separator: "\n").first { $0.contains("fd00::50/128 scope global") }, "\(text)")
      for word in ["deprecated", "nodad", "noprefixroute"] { try #require(line.contains(word), "\(line)") }
      try #require(!line.contains("tentative"), "\(line)")
      try #require(text.contains("preferred_lft 0sec"), "\(text)")
      let v4 = try NetworkNamespace.ip("-4 address show dev v0")
      try #require(v4.contains("inet 10.101.0.50/32 scope global") && v4.contains("noprefixroute"), "\(v4)")
      try #require(v4.contains("valid_lft 8sec preferred_lft 8sec"), "\(v4)")
      try #require(try NetworkNamespace.ip("-4 route show") == "")
      try #require(try !NetworkNamespace.ip("-6 route show").contains("fd00::50"))
    }
  }

  @Test(
    "addresses that are not renewed end by themselves within 12 s",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func lapses() throws {
    try NetworkNamespace.run {
      try Self.cable()
      let view = try KernelView()
      let index = try view.index("v0")
      do {
        let table = try AddressTable()
        try table.put(Self.mine, on: index)
        try table.put(Self.other, on: index)
      }
      let start = ContinuousClock.now
      try view.wait("both") { $0.address(Self.mine, on: "v0") != nil && $0.address(Self.other, on: "v0") != nil }
      try view.wait("their end", within: .seconds(12)) {
        $0.address(Self.mine, on: "v0") == nil && $0.address(Self.other, on: "v0") == nil
      }
      try #require(ContinuousClock.now - start >= .seconds(7))
    }
  }

  @Test(
    "removing what is not there is no failure",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func removesNothing() throws {
    try NetworkNamespace.run {
      try Self.cable()
      let table = try AddressTable()
      let index = try NetworkNamespace.index(of: "v0")
      for address in [Self.mine, Self.other] {
        try table.remove(address, from: index)
        try table.remove(address, from: 4711)
      }
      // Too small for IPv6, which the kernel takes off the interface.
      try NetworkNamespace.ip("link set v0 mtu 1000")
      try table.remove(Self.other, from: index)
    }
  }

  @Test(
    "what the kernel refuses is told in words",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func refusals() throws {
    try NetworkNamespace.run {
      try Self.cable()
      let table = try AddressTable()
      let index = try NetworkNamespace.index(of: "v0")
      try NetworkNamespace.set("net/ipv6/conf/v0/disable_ipv6", "1")
      #expect(throws: AnnouncementObstacle.system("IPv6 is disabled on v0")) { try table.put(Self.other, on: index) }
      #expect(throws: AnnouncementObstacle.system("No such device")) { try table.put(Self.mine, on: 4711) }
      try table.remove(Self.other, from: index)
    }
  }

  @Test(
    "without capabilities each call names the one that is missing",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func capabilities() throws {
    try NetworkNamespace.run {
      try Self.cable()
      let index = try NetworkNamespace.index(of: "v0")
      try dropCapabilities()
      let table = try AddressTable()
      for address in [Self.mine, Self.other] {
        #expect(throws: AnnouncementObstacle.missingCapability("CAP_NET_ADMIN")) { try table.put(address, on: index) }
        #expect(throws: AnnouncementObstacle.missingCapability("CAP_NET_ADMIN")) {
          try table.remove(address, from: index)
        }
      }
      let loop = EventLoop()
      for frames in [PacketSocket.Frames.arp, .neighbourDiscovery] {
        #expect(throws: AnnouncementObstacle.missingCapability("CAP_NET_RAW")) {
          _ = try PacketSocket(loop: loop, frames) { _, _ in }
        }
      }
      // To listen needs none.
      let view = try KernelView()
      try #require(view.link("v0") != nil)
    }
  }

  @Test("a host without IPv6 is told from an interface without it")
  func meanings() {
    typealias Obstacle = AnnouncementObstacle
    #expect(Obstacle(netlink: -NLE_PERM, family: .v4, interface: 1) == .missingCapability("CAP_NET_ADMIN"))
    for code in [NLE_OPNOTSUPP, NLE_AF_NOSUPPORT] {
      #expect(Obstacle(netlink: -code, family: .v6, interface: 1) == .system("IPv6 is disabled on this host"))
    }
    #expect(
      Obstacle(netlink: -NLE_NOACCESS, family: .v6, interface: .max)
        == .system("IPv6 is disabled on interface \(CInt.max)"))
    #expect(Obstacle(netlink: -NLE_NOMEM, family: .v6, interface: 1) == .system("Out of memory"))
  }
}
