import Addresses
import EventLoop
import TestKit
import Testing

@testable import Announcing

@Suite("arp_ignore") struct KernelARPSettingsTests {
  static let risk = "hosts of its network may hear two MACs for one address"

  @Test(
    "it is set to 1 where it is 0 and left where somebody chose a value",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func require() throws {
    try NetworkNamespace.run {
      try NetworkNamespace.ip("link add eth0.100 type veth peer name v1")
      let settings = ARPSettings()
      try #require(settings.effective("eth0.100") == 0)
      try #require(settings.require(on: "eth0.100") == nil)
      try #require(settings.effective("eth0.100") == 1 && settings.effective("v1") == 0)
      for value in [1, 2, 8] {
        try NetworkNamespace.set("net/ipv4/conf/v1/arp_ignore", "\(value)")
        try #require(settings.require(on: "v1") == nil)
        try #require(settings.effective("v1") == value)
      }
      try NetworkNamespace.set("net/ipv4/conf/v1/arp_ignore", "3")
      try #require(settings.require(on: "v1") == "arp_ignore of v1 is 3, not 1: \(Self.risk)")
      try NetworkNamespace.set("net/ipv4/conf/all/arp_ignore", "8")
      try #require(settings.check("v1") == "arp_ignore of v1 is 8 (as for all): the kernel answers no ARP request")
      try #require(settings.check("eth0.100")?.contains("is 8 (as for all)") == true)
    }
  }

  @Test("names that are none of an interface lead to no file")
  func names() throws {
    let settings = ARPSettings()
    for name in ["", ".", "..", "all", "default", "../../ipv4", "eth0/../lo", "eth\0", "nosuch0"] {
      #expect(settings.effective(name) == nil)
      #expect(settings.check(name) == nil)
      #expect(settings.require(on: name) == "arp_ignore of \(name) cannot be read: \(Self.risk)")
    }
  }

  @Test("where it cannot be set the reason is told")
  func cannotSet() throws {
    // In the place of the kernel's, which root may always write.
    let directory = try TestKit.TemporaryDirectory()
    try directory.makeDirectory("eth0")
    let file = try directory.write("eth0/arp_ignore", "0\n")
    try #require(try TestKit.run("chmod", ["0444", file]).exit == .code(0))
    let (root, warning) = (directory.path, Mailbox<String?>())
    // Its owner's permissions count for a thread without capabilities.
    try TestThread {
      guard (try? dropCapabilities()) != nil else { return warning.post("the capabilities cannot be dropped") }
      warning.post(ARPSettings(root: root).require(on: "eth0"))
    }.join()
    #expect(try warning.next() == "arp_ignore of eth0 is 0 and cannot be set: Permission denied; \(Self.risk)")
  }

  /// Whether the kernel answers on v0 for `address`, asked by 10.101.0.9 on v1; a request that it always answers follows.
  private static func isAnswered(_ address: [UInt8], _ rig: KernelPacketTests.Rig) throws -> Bool {
    func request(_ target: [UInt8], mark: UInt8) -> [UInt8] {
      let mac: [UInt8] = [2, 0, 0, 0, 0, mark]
      return [255, 255, 255, 255, 255, 255] + mac + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + mac + [10, 101, 0, 9]
        + [0, 0, 0, 0, 0, 0] + target
    }
    let before = rig.frames.count
    try rig.socket?.send(request(address, mark: 1), on: rig.far)
    // Answers go to the asker's MAC, which v1 has; requests that are not answered end in nothing, so time decides.
    let deadline = Deadline.after(.milliseconds(300))
    func isReply(_ frame: KernelPacketTests.Frame) -> Bool {
      frame.index == rig.far && frame.bytes[20..<22] == [0, 2] && Array(frame.bytes[28..<32]) == address
    }
    try rig.wait("an answer or the end of the time") { $0[before...].contains(where: isReply) || deadline.hasPassed }
    return rig.frames[before...].contains(where: isReply)
  }

  @Test(
    "what the values do to an address of a host's prefix is as the table says",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func effects() throws {
    try NetworkNamespace.run {
      // v1 has the asker's MAC, so that answers are for this host.
      try NetworkNamespace.ip(all: [
        "link add v0 type veth peer name v1 address 02:00:00:00:00:01", "link add v2 type veth peer name v3",
        "link set v0 up", "link set v1 up", "link set v2 up", "link set v3 up", "address add 10.101.0.1/24 dev v0",
      ])
      let table = try AddressTable()
      let (inside, outside, elsewhere): ([UInt8], [UInt8], [UInt8]) = (
        [10, 101, 0, 50], [10, 202, 0, 50], [10, 101, 0, 60]
      )
      try table.put(ip("10.101.0.50"), on: NetworkNamespace.index(of: "v0"))
      try table.put(ip("10.202.0.50"), on: NetworkNamespace.index(of: "v0"))
      try table.put(ip("10.101.0.60"), on: NetworkNamespace.index(of: "v2"))
      let rig = try KernelPacketTests.Rig(.arp)
      let settings = ARPSettings()
      let expected: [Int: [Bool]] = [
        0: [true, true, true], 1: [true, true, false], 2: [true, false, false], 3: [true, true, true],
        4: [true, true, true], 5: [true, true, true], 6: [true, true, true], 7: [true, true, true],
        8: [false, false, false],
      ]
      for (value, answers) in expected.sorted(by: { $0.key < $1.key }) {
        try NetworkNamespace.set("net/ipv4/conf/v0/arp_ignore", "\(value)")
        let seen = try [inside, outside, elsewhere].map { try Self.isAnswered($0, rig) }
        try #require(seen == answers, "arp_ignore \(value)")
        try #require((settings.check("v0") == nil) == answers[1])
      }
    }
  }
}
