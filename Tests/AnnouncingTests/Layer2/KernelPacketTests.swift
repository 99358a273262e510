import Addresses
import EventLoop
import TestKit
import Testing

@testable import Announcing

@Suite("packet sockets") struct KernelPacketTests {
  struct Frame: Hashable, Sendable {
    let bytes: [UInt8]
    let index: CInt
  }

  /// A socket on a cable between v0 and v1, and what it has received.
  final class Rig {
    let loop = EventLoop()
    let near: CInt
    let far: CInt
    private(set) var frames: [Frame] = []
    private(set) var socket: PacketSocket?
    private var driver: LoopDriver?

    init(_ kind: PacketSocket.Frames) throws {
      near = try NetworkNamespace.index(of: "v0")
      far = try NetworkNamespace.index(of: "v1")
      driver = LoopDriver(loop)
      socket = try PacketSocket(loop: loop, kind) { [unowned self] bytes, index in
        frames.append(Frame(bytes: (0..<bytes.count).map { bytes[$0] }, index: index))
      }
    }

    func wait(_ what: String, _ condition: @escaping ([Frame]) -> Bool) throws {
      try driver?.drive(until: what) { [unowned self] in condition(frames) }
    }
  }

  /// An Ethernet header and a payload, from 02:00:00:00:00:01.
  static func frame(to mac: MACAddress = .broadcast, type: UInt16, _ payload: [UInt8]) -> [UInt8] {
    mac.bytes + [2, 0, 0, 0, 0, 1, UInt8(type >> 8), UInt8(type & 255)] + payload
  }

  static func arp(to mac: MACAddress = .broadcast, mark: UInt8) -> [UInt8] {
    frame(
      to: mac, type: 0x0806,
      [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 101, 0, 9] + [0, 0, 0, 0, 0, 0, 10, 101, 0, mark])
  }

  /// An IPv6 packet to all nodes with this ICMPv6 type, or whatever the next header is.
  static func icmp(_ type: UInt8, nextHeader: UInt8 = 58, mark: UInt8 = 0) -> [UInt8] {
    let header: [UInt8] = [0x60, 0, 0, 0, 0, 24, nextHeader, 255]
    let source: [UInt8] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    let destination: [UInt8] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    return frame(
      to: MACAddress(bits: 0x3333_0000_0001), type: 0x86dd,
      header + source + destination + [type, 0, 0, 0, mark] + [UInt8](repeating: 0, count: 19))
  }

  @Test(
    "the kernel's own ARP request on the far end of a cable is received, with the interface, and answered",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func seesRequests() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      try NetworkNamespace.ip("address add 10.101.0.9/24 dev v1")
      let rig = try Rig(.arp)
      // A datagram to an unknown neighbour makes the kernel ask for it on v1.
      let client = try UDPSocket(on: SocketAddress(ip("10.101.0.9"), port: 0))
      try client.send("x", to: SocketAddress(ip("10.101.0.77"), port: 9))
      try rig.wait("the request") { $0.contains { $0.index == rig.near } }
      let request = try #require(rig.frames.first { $0.index == rig.near })
      try #require(request.bytes[0..<6] == [255, 255, 255, 255, 255, 255] && request.bytes[12..<14] == [8, 6])
      try #require(request.bytes[38..<42] == [10, 101, 0, 77])
      // What v1 sends is not received on v1.
      try #require(!rig.frames.contains { $0.index == rig.far })

      // A reply sent on v0 reaches the kernel by v1.
      let asker = Array(request.bytes[6..<12])
      let reply =
        asker + [2, 0, 0, 0, 0, 0x77, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 0x77, 10, 101, 0, 77]
        + asker + [10, 101, 0, 9]
      try rig.socket?.send(reply, on: rig.near)
      try eventually("the neighbour") {
        try NetworkNamespace.ip("neigh show 10.101.0.77 dev v1").contains("02:00:00:00:00:77")
      }
    }
  }

  @Test(
    "frames that this host sends, for other hosts, or of other protocols are not received",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func ignores() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let rig = try Rig(.arp)
      try rig.socket?.send(Self.arp(to: MACAddress(bits: 0x0200_0000_00ff), mark: 1), on: rig.far)
      try rig.socket?.send(Self.frame(type: 0x88b5, [UInt8](repeating: 1, count: 46)), on: rig.far)
      try rig.socket?.send(Self.arp(mark: 2), on: rig.far)
      try rig.wait("the last one") { $0.contains { $0.bytes.last == 2 } }
      try #require(rig.frames == [Frame(bytes: Self.arp(mark: 2), index: rig.near)])
      try #require(rig.socket?.counts() == PacketSocket.Counts(received: 1, dropped: 0))
    }
  }

  @Test(
    "the neighbour socket passes solicitations and advertisements, and nothing else of IPv6",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func neighbourDiscovery() throws {
    try NetworkNamespace.run {
      // The kernel's own packets are not to mix with these.
      try NetworkNamespace.ip("link add v0 type veth peer name v1")
      for name in ["v0", "v1"] { try NetworkNamespace.set("net/ipv6/conf/\(name)/disable_ipv6", "1") }
      try NetworkNamespace.ip(all: ["link set v0 up", "link set v1 up"])
      let rig = try Rig(.neighbourDiscovery)
      let passing = [Self.icmp(135, mark: 1), Self.icmp(136, mark: 2)]
      let others = [128, 129, 133, 134, 137, 143, 0].map { Self.icmp($0) } + [Self.icmp(135, nextHeader: 0)]
      // Too short for what the filter looks at.
      let short = [Array(Self.icmp(135).prefix(50)), Self.arp(mark: 3)]
      for frame in others + short + passing { try rig.socket?.send(frame, on: rig.far) }
      try rig.wait("the last one") { $0.count >= 2 }
      try #require(rig.frames == passing.map { Frame(bytes: $0, index: rig.near) })
    }
  }

  @Test(
    "the kernel's own solicitation is received",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func seesSolicitations() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      try NetworkNamespace.ip("address add fd00::9/64 dev v1 nodad")
      let rig = try Rig(.neighbourDiscovery)
      let client = try UDPSocket(on: SocketAddress(ip("fd00::9"), port: 0))
      try client.send("x", to: SocketAddress(ip("fd00::77"), port: 9))
      let target = ip("fd00::77").networkBytes
      try rig.wait("the solicitation") {
        $0.contains { $0.index == rig.near && $0.bytes[54] == 135 && Array($0.bytes[62..<78]) == target }
      }
    }
  }

  @Test(
    "a storm is taken in turns, and what the kernel has no room for is counted",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func storm() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let rig = try Rig(.arp)
      let sent: UInt64 = 2000
      for _ in 0..<sent { try rig.socket?.send(Self.arp(mark: 1), on: rig.far) }
      try rig.wait("all that the kernel kept") { _ in
        guard let counts = rig.socket?.counts() else { return false }
        return counts.received + counts.dropped == sent
      }
      try #require(rig.frames.count > PacketSocket.framesPerTurn)
      try #require(try #require(rig.socket).counts().dropped > 0)
    }
  }

  @Test(
    "a send that cannot be says why",
    .enabled(if: NetworkNamespace.isAvailable, "\(NetworkNamespace.requirement)"), .timeLimit(.minutes(1)))
  func refusedSends() throws {
    try NetworkNamespace.run {
      try KernelAddressTests.cable()
      let socket = try #require(try Rig(.arp).socket)
      let index = try NetworkNamespace.index(of: "v0")
      try NetworkNamespace.ip("link set v0 down")
      #expect(throws: AnnouncementObstacle.unusableInterface("v0", .isDown)) {
        try socket.send(Self.arp(mark: 1), on: index)
      }
      #expect(throws: AnnouncementObstacle.noSuchInterface("interface 4711")) {
        try socket.send(Self.arp(mark: 1), on: 4711)
      }
      #expect(throws: AnnouncementObstacle.system("Invalid argument")) { try socket.send([1, 2, 3], on: index) }
    }
  }
}
