import Addresses
import TestKit
import Testing

@testable import Announcing

@Suite("solicited-node groups") struct KernelGroupTests {
  /// Groups of an interface that are joined, as 32 hexadecimal digits.
  static func joined(_ name: String) throws -> Set<String> {
    Set(
      try NetworkNamespace.lines(of: "/proc/thread-self/net/igmp6").compactMap {
        let words = $0.split(separator: " ")
        return words.count > 2 && words[1] == name ? String(words[2]) : nil
      })
  }

  @Test("an address's group is of its last 24 bits")
  func groups() {
    #expect(SolicitedNodeGroups.group(of: ip("2001:db8::abcd:ef12:3456")) == ip("ff02::1:ff12:3456"))
    #expect(SolicitedNodeGroups.group(of: ip("fd00::50")) == ip("ff02::1:ff00:50"))
  }

  @Test(
    "a group is joined once for all addresses that share it, and left with the last",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func counts() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let index = try NetworkNamespace.index(of: "v0")
      let group = "ff0200000000000000000001ff000050"
      let groups = SolicitedNodeGroups()
      for address in ["fd00::50", "fd01::50"] { try #require(groups.join(ip(address), on: index) == nil) }
      try #require(groups.join(ip("10.101.0.50"), on: index) == nil)
      try #require(groups.count == 1)
      try #require(try Self.joined("v0").contains(group))
      try #require(try !Self.joined("v1").contains(group))
      groups.leave(ip("fd00::50"), on: index)
      try #require(try Self.joined("v0").contains(group))
      groups.leave(ip("fd01::50"), on: index)
      try #require(try !Self.joined("v0").contains(group))
      groups.leave(ip("fd01::50"), on: index)
      try #require(groups.count == 0 && groups.failures == 0)
    }
  }

  @Test(
    "a failure is returned and counted; an interface that went away is left without one",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func failures() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let index = try NetworkNamespace.index(of: "v0")
      let groups = SolicitedNodeGroups()
      try #require(groups.join(ip("fd00::50"), on: 4711)?.description == "No such device")
      try #require(groups.failures == 1 && groups.count == 0)
      try #require(groups.join(ip("fd00::50"), on: index) == nil)
      try NetworkNamespace.ip("link delete v0")
      try #require(groups.leave(ip("fd00::50"), on: index) == nil)
      try #require(groups.failures == 1 && groups.count == 0)
    }
  }

  @Test(
    "thousands of groups go on several sockets where one is full",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func many() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let index = try NetworkNamespace.index(of: "v0")
      let groups = SolicitedNodeGroups()
      let addresses = (1...4000).map { IPAddress(v6: (0xfd00 << 112) + UInt128($0) * 16) }
      for address in addresses { try #require(groups.join(address, on: index) == nil) }
      // Beside the groups of addresses that the kernel gives the interface in its own time.
      let expected = Set(addresses.map { String(SolicitedNodeGroups.group(of: $0).bits, radix: 16) })
      try #require(expected.count == addresses.count)
      try #require(try Self.joined("v0").isSuperset(of: expected))
      try #require(groups.socketCount > 1)
      for address in addresses { groups.leave(address, on: index) }
      try #require(try Self.joined("v0").isDisjoint(with: expected))
      try #require(groups.failures == 0)
    }
  }
}
