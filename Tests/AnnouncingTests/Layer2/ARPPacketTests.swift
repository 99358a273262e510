import Addresses
import Testing

@testable import Announcing

@Suite struct ARPPacketTests {
  static let own = mac("02:00:00:00:00:0a")
  static let vip = ip("192.0.2.9")

  /// Host 192.0.2.1 asks for 192.0.2.9.
  static let request = hex(
    """
    ff ff ff ff ff ff 02 00 00 00 00 01 08 06  # to all, from its MAC, ARP
    00 01 08 00 06 04 00 01                    # Ethernet, IPv4, 6 and 4 bytes, request
    02 00 00 00 00 01 c0 00 02 01              # sender
    00 00 00 00 00 00 c0 00 02 09              # target
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    """)

  private func drop(_ bytes: [UInt8]) -> FrameDrop? {
    do {
      _ = try ARPPacket(bytes.span)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a request is read field by field`() throws {
    let packet = try ARPPacket(Self.request.span)
    #expect(packet.ethernetDestination == .broadcast)
    #expect(packet.ethernetSource == mac("02:00:00:00:00:01"))
    #expect(packet.operation == .request)
    #expect(packet.senderMAC == mac("02:00:00:00:00:01"))
    #expect(packet.senderAddress == ip("192.0.2.1"))
    #expect(packet.targetMAC == MACAddress(bits: 0))
    #expect(packet.targetAddress == Self.vip)
    #expect(packet.frame() == Self.request)
  }

  @Test func `a probe does not say that the address is ours`() {
    #expect(
      ARPPacket.probe(for: Self.vip, from: Self.own).frame()
        == hex(
          """
          ff ff ff ff ff ff 02 00 00 00 00 0a 08 06
          00 01 08 00 06 04 00 01
          02 00 00 00 00 0a 00 00 00 00              # sender 0.0.0.0
          00 00 00 00 00 00 c0 00 02 09
          00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
          """))
  }

  @Test func `gratuitous frames are MetalLB's`() {
    let request = hex(
      """
      ff ff ff ff ff ff 02 00 00 00 00 0a 08 06
      00 01 08 00 06 04 00 01
      02 00 00 00 00 0a c0 00 02 09
      ff ff ff ff ff ff c0 00 02 09              # sender's address is target's, its MAC all ones
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      """)
    #expect(ARPPacket.gratuitousRequest(for: Self.vip, from: Self.own).frame() == request)
    #expect(ARPPacket.gratuitousReply(for: Self.vip, from: Self.own).frame() == patched(request, at: 20, 0, 2))
  }

  @Test func `what is written is read`() throws {
    for packet: ARPPacket in [
      .probe(for: Self.vip, from: Self.own), .gratuitousRequest(for: Self.vip, from: Self.own),
      .gratuitousReply(for: Self.vip, from: Self.own),
    ] {
      #expect(try ARPPacket(packet.frame().span) == packet)
    }
  }

  @Test(arguments: [
    (patched(request, at: 12, 0x81, 0x00), FrameDrop.etherType),  // a VLAN tag
    (patched(request, at: 6, 0x03), .senderNotUnicast), (patched(request, at: 22, 0x01), .senderNotUnicast),
    (patched(request, at: 22, 0, 0, 0, 0, 0, 0), .senderNotUnicast), (patched(request, at: 14, 0, 6), .hardwareType),
    (patched(request, at: 16, 0x86, 0xDD), .protocolType), (patched(request, at: 18, 8), .addressLength),
    (patched(request, at: 19, 16), .addressLength), (patched(request, at: 20, 0, 3), .operation),
    (patched(request, at: 20, 0, 0), .operation), (patched(request, at: 27, 2), .senderMismatch),
  ])
  func `what is no packet of IPv4 over Ethernet is dropped by its reason`(_ bytes: [UInt8], _ reason: FrameDrop) {
    #expect(drop(bytes) == reason)
  }

  @Test func `a frame without padding is read and each shorter one is dropped`() {
    for count in 0..<ARPPacket.byteCount { #expect(drop(Array(Self.request[..<count])) == .tooShort) }
    for count in ARPPacket.byteCount...Self.request.count { #expect(drop(Array(Self.request[..<count])) == nil) }
  }
}
