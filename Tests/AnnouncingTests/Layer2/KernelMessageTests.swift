import Addresses
import TestKit
import Testing

@testable import Announcing

/// Messages as linux/netlink.h, linux/rtnetlink.h, linux/if_link.h and linux/if_addr.h describe them, byte for byte, in
/// the order of a little-endian machine.
@Suite("netlink messages") struct KernelMessageTests {
  // eth0.100 on eth0 (2), up with a carrier.
  static let vlan: [UInt8] = [
    0x68, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,  // nlmsg_len 104, RTM_NEWLINK, no flags
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // nlmsg_seq, nlmsg_pid
    0x00, 0x00, 0x01, 0x00, 0x05, 0x00, 0x00, 0x00,  // AF_UNSPEC, ARPHRD_ETHER, ifi_index 5
    0x43, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,  // UP BROADCAST RUNNING MULTICAST LOWER_UP, ifi_change
    0x0d, 0x00, 0x03, 0x00, 0x65, 0x74, 0x68, 0x30,  // IFLA_IFNAME, 9 bytes: eth0.100
    0x2e, 0x31, 0x30, 0x30, 0x00, 0x00, 0x00, 0x00,
    0x0a, 0x00, 0x01, 0x00, 0x52, 0x54, 0x00, 0x12,  // IFLA_ADDRESS, 6 bytes
    0x34, 0x56, 0x00, 0x00,
    0x08, 0x00, 0x05, 0x00, 0x02, 0x00, 0x00, 0x00,  // IFLA_LINK 2
    0x24, 0x00, 0x12, 0x80,  // IFLA_LINKINFO, nested
    0x09, 0x00, 0x01, 0x00, 0x76, 0x6c, 0x61, 0x6e,  // IFLA_INFO_KIND: vlan
    0x00, 0x00, 0x00, 0x00,
    0x14, 0x00, 0x02, 0x80,  // IFLA_INFO_DATA, nested
    0x06, 0x00, 0x01, 0x00, 0x64, 0x00, 0x00, 0x00,  // IFLA_VLAN_ID 100
    0x06, 0x00, 0x05, 0x00, 0x81, 0x00, 0x00, 0x00,  // IFLA_VLAN_PROTOCOL 802.1Q
  ]

  // bond0, up with a carrier.
  static let bond: [UInt8] = [
    0x4c, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,  // nlmsg_len 76, RTM_NEWLINK
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x04, 0x00, 0x00, 0x00,  // AF_UNSPEC, ARPHRD_ETHER, ifi_index 4
    0x43, 0x14, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,  // UP BROADCAST RUNNING MASTER MULTICAST LOWER_UP
    0x0a, 0x00, 0x03, 0x00, 0x62, 0x6f, 0x6e, 0x64,  // IFLA_IFNAME: bond0
    0x30, 0x00, 0x00, 0x00,
    0x0a, 0x00, 0x01, 0x00, 0x52, 0x54, 0x00, 0xaa,  // IFLA_ADDRESS
    0xbb, 0xcc, 0x00, 0x00,
    0x10, 0x00, 0x12, 0x80,  // IFLA_LINKINFO, nested
    0x09, 0x00, 0x01, 0x00, 0x62, 0x6f, 0x6e, 0x64,  // IFLA_INFO_KIND: bond
    0x00, 0x00, 0x00, 0x00,
    0x04, 0x00, 0x0e, 0x00,  // an attribute without a payload
  ]

  // eth1, a slave of bond0 (4).
  static let slave: [UInt8] = [
    0x40, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,  // nlmsg_len 64, RTM_NEWLINK
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00,  // AF_UNSPEC, ARPHRD_ETHER, ifi_index 3
    0x43, 0x18, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,  // UP BROADCAST RUNNING SLAVE MULTICAST LOWER_UP
    0x09, 0x00, 0x03, 0x00, 0x65, 0x74, 0x68, 0x31,  // IFLA_IFNAME: eth1
    0x00, 0x00, 0x00, 0x00,
    0x0a, 0x00, 0x01, 0x00, 0x52, 0x54, 0x00, 0xaa,  // IFLA_ADDRESS: the bond's
    0xbb, 0xcc, 0x00, 0x00,
    0x08, 0x00, 0x0a, 0x00, 0x04, 0x00, 0x00, 0x00,  // IFLA_MASTER 4
  ]

  // mac0 on eth0 (2).
  static let macvlan: [UInt8] = [
    0x50, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,  // nlmsg_len 80, RTM_NEWLINK
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,  // AF_UNSPEC, ARPHRD_ETHER, ifi_index 6
    0x43, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,  // UP BROADCAST RUNNING MULTICAST LOWER_UP
    0x09, 0x00, 0x03, 0x00, 0x6d, 0x61, 0x63, 0x30,  // IFLA_IFNAME: mac0
    0x00, 0x00, 0x00, 0x00,
    0x0a, 0x00, 0x01, 0x00, 0x52, 0x54, 0x00, 0xcc,  // IFLA_ADDRESS
    0xdd, 0xee, 0x00, 0x00,
    0x08, 0x00, 0x05, 0x00, 0x02, 0x00, 0x00, 0x00,  // IFLA_LINK 2
    0x10, 0x00, 0x12, 0x80,  // IFLA_LINKINFO, nested
    0x0c, 0x00, 0x01, 0x00, 0x6d, 0x61, 0x63, 0x76,  // IFLA_INFO_KIND: macvlan
    0x6c, 0x61, 0x6e, 0x00,
  ]

  // 10.101.0.50/32 on interface 5, for 8 s.
  static let address: [UInt8] = [
    0x44, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,  // nlmsg_len 68, RTM_NEWADDR
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x02, 0x20, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,  // AF_INET, /32, ifa_flags, scope, ifa_index 5
    0x08, 0x00, 0x01, 0x00, 0x0a, 0x65, 0x00, 0x63,  // IFA_ADDRESS: the peer's
    0x08, 0x00, 0x02, 0x00, 0x0a, 0x65, 0x00, 0x32,  // IFA_LOCAL
    0x08, 0x00, 0x08, 0x00, 0x00, 0x02, 0x00, 0x00,  // IFA_FLAGS: NOPREFIXROUTE
    0x14, 0x00, 0x06, 0x00, 0x08, 0x00, 0x00, 0x00,  // IFA_CACHEINFO: preferred 8
    0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // valid 8, created
    0x00, 0x00, 0x00, 0x00,  // updated
  ]

  /// What comes of bytes that end where their memory ends.
  static func parse(_ bytes: [UInt8]) -> [KernelMessage] {
    // Memory of its own of just that size, so that a tool that watches memory sees a read beyond it; freed at the end.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    defer { unsafe memory.deallocate() }
    unsafe memory.copyBytes(from: bytes)
    var messages: [KernelMessage] = []
    unsafe KernelMessage.forEach(in: UnsafeRawBufferPointer(memory)) { message, _ in messages.append(message) }
    return messages
  }

  static func changed(_ bytes: [UInt8], _ offset: Int, _ value: UInt8) -> [UInt8] {
    var bytes = bytes
    bytes[offset] = value
    return bytes
  }

  @Test("a VLAN's link, a bond's and a slave's, one after the other")
  func links() {
    let flags = Link.Flags([.up, .broadcast, .lowerUp])
    let events = Self.parse(Self.vlan + Self.bond + Self.slave)
    guard events.count == 3, case .event(.link(let vlan)) = events[0], case .event(.link(let bond)) = events[1],
      case .event(.link(let slave)) = events[2]
    else {
      Issue.record("\(events)")
      return
    }
    #expect(vlan.index == 5 && vlan.name == "eth0.100" && vlan.mac == MACAddress("52:54:00:12:34:56"))
    #expect(vlan.master == 0 && vlan.flags.isSuperset(of: flags) && !vlan.flags.contains(.noARP))
    #expect(bond.index == 4 && bond.name == "bond0" && bond.mac == MACAddress("52:54:00:aa:bb:cc") && bond.master == 0)
    #expect(slave.index == 3 && slave.name == "eth1" && slave.master == 4 && slave.flags.isSuperset(of: flags))
  }

  @Test("a macvlan is on the LAN of the link that it stands on; a VLAN is not, nor what stands in another namespace")
  func parents() {
    func parent(_ bytes: [UInt8]) -> CInt? {
      if case .event(.link(let link))? = Self.parse(bytes).first { link.parent } else { nil }
    }
    #expect(parent(Self.macvlan) == 2)
    #expect(parent(Self.vlan) == 0)
    #expect(parent(Self.slave) == 0)
    // The same with IFLA_LINK_NETNSID 0.
    var foreign = Self.macvlan + [0x08, 0x00, 0x25, 0x00, 0x00, 0x00, 0x00, 0x00]
    foreign[0] = UInt8(foreign.count)
    #expect(parent(foreign) == 0)
    // A kind that runs out of its IFLA_LINKINFO
    #expect(parent(Self.changed(Self.macvlan, 68, 0x0d)) == 0)
  }

  @Test("an address with its lifetime and all its flags; with a peer, it is the local one")
  func addresses() {
    let expected = LinkAddress(address: ip("10.101.0.50"), prefixLength: 32, flags: .noPrefixRoute, validSeconds: 8)
    #expect(Self.parse(Self.address) == [.event(.address(expected, index: 5))])
    #expect(expected.isOfRoadstead)
    // RTM_DELADDR
    #expect(
      Self.parse(Self.changed(Self.address, 4, 0x15))
        == [.event(.addressGone(ip("10.101.0.50"), prefixLength: 32, index: 5))])
  }

  @Test("a link that is gone; what a bridge says of its port, and a wireless scan, are no word on the link")
  func others() {
    let gone = Self.changed(Self.slave, 4, 0x11)
    #expect(Self.parse(gone) == [.event(.linkGone(index: 3))])
    // AF_BRIDGE
    #expect(Self.parse(Self.changed(gone, 16, 7)) == [.other])
    #expect(Self.parse(Self.changed(Self.slave, 16, 7)) == [.other])
    // IFLA_WIRELESS in the place of IFLA_MASTER
    #expect(Self.parse(Self.changed(Self.slave, 58, 0x0b)) == [.other])
    // An address of another family, a message of another type
    #expect(Self.parse(Self.changed(Self.address, 16, 12)) == [.other])
    #expect(Self.parse(Self.changed(Self.address, 4, 0x18)) == [.other])
  }

  @Test("an Ethernet address is taken from Ethernet links alone")
  func macs() {
    // ARPHRD_LOOPBACK, 772
    guard case .event(.link(let link))? = Self.parse(Self.changed(Self.changed(Self.slave, 18, 0x04), 19, 0x03)).first
    else {
      Issue.record("no link")
      return
    }
    #expect(link.mac == nil && link.name == "eth1")
  }

  @Test("the ends of dumps and refusals bear the request's number")
  func ends() {
    // nlmsg_len 20, NLMSG_DONE, NLM_F_MULTI, number 7, no error
    let done: [UInt8] = [20, 0, 0, 0, 3, 0, 2, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(Self.parse(done) == [.dumpEnd(sequence: 7, isConsistent: true, error: 0)])
    // NLM_F_DUMP_INTR
    #expect(Self.parse(Self.changed(done, 6, 0x12)) == [.dumpEnd(sequence: 7, isConsistent: false, error: 0)])
    // NLMSG_ERROR, -EBUSY
    let refusal: [UInt8] = [20, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff]
    #expect(Self.parse(refusal) == [.refusal(sequence: 7, error: 16)])
  }

  @Test("what is cut short anywhere, or has lengths that do not fit, is dropped")
  func malformed() {
    for whole in [Self.vlan, Self.bond, Self.slave, Self.macvlan, Self.address] {
      for count in 1..<whole.count {
        // As it comes when the buffer was too small,
        #expect(Self.parse(Array(whole[..<count])) == [.malformed])
        // and with a header that says so.
        var short = Array(whole[..<count])
        short[0] = UInt8(count)
        // Where attributes end at the cut, the rest makes a message; it says what the whole one says, or less.
        let messages = Self.parse(short)
        #expect(messages.count == 1)
        switch messages.first {
        case .malformed: break
        case .event(.link(let link)): #expect("\(Self.parse(whole))".contains("\"\(link.name)\""))
        case .event(.address(let address, let index)):
          // Of the address, up to IFA_ADDRESS: that is all there is then.
          #expect(index == 5 && address.address == ip(count < 40 ? "10.101.0.99" : "10.101.0.50"))
        default: Issue.record("\(count): \(messages)")
        }
      }
    }
    #expect(Self.parse([]) == [])
    // nlmsg_len 0 and 15; the attribute's length 0, 3 and beyond the end
    for length in [0, 15] as [UInt8] { #expect(Self.parse(Self.changed(Self.slave, 0, length)) == [.malformed]) }
    for length in [0, 3, 0xff] as [UInt8] { #expect(Self.parse(Self.changed(Self.slave, 56, length)) == [.malformed]) }
    // A name of 17 bytes cannot be; nor an empty one, an index of 0, a prefix of 33, an address of 3 bytes
    var long = Self.slave
    long.replaceSubrange(32..<44, with: [0x15, 0, 3, 0] + [UInt8](repeating: 0x61, count: 20))
    long[0] = UInt8(long.count)
    #expect(Self.parse(long) == [.malformed])
    #expect(Self.parse(Self.changed(Self.slave, 36, 0)) == [.malformed])
    #expect(Self.parse(Self.changed(Self.slave, 20, 0)) == [.malformed])
    #expect(Self.parse(Self.changed(Self.address, 17, 33)) == [.malformed])
    #expect(Self.parse(Self.changed(Self.address, 32, 7)) == [.malformed])
  }

  @Test("random changes to messages never stop the reader")
  func fuzz() {
    var seed = SeededRandom(seed: testSeed())
    for _ in 0..<20_000 {
      var bytes = Self.vlan + Self.bond + Self.slave + Self.macvlan + Self.address
      for _ in 0..<Int.random(in: 1...8, using: &seed) {
        bytes[Int.random(in: 0..<bytes.count, using: &seed)] = .random(in: 0...255, using: &seed)
      }
      let count = Int.random(in: 0...bytes.count, using: &seed)
      #expect(Self.parse(Array(bytes[..<count])).count <= bytes.count / 16 + 1)
    }
  }
}
