import Addresses
import Testing

@testable import Announcing

@Suite struct NeighborMessageTests {
  static let own = mac("02:00:00:00:00:0a")
  static let other = mac("02:00:00:00:00:01")
  static let vip = ip("2001:db8::1:9")

  /// Host fe80::1 asks for 2001:db8::1:9; the checksum was taken by another program (Python).
  static let solicitation = hex(
    """
    33 33 ff 01 00 09 02 00 00 00 00 01 86 dd                      # to the group's MAC, IPv6
    60 00 00 00 00 20 3a ff                                        # 32 bytes of ICMPv6, hop limit 255
    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01                # source
    ff 02 00 00 00 00 00 00 00 00 00 01 ff 01 00 09                # ff02::1:ff01:9
    87 00 4b 4f 00 00 00 00                                         # solicitation
    20 01 0d b8 00 00 00 00 00 00 00 00 00 01 00 09                # target
    01 01 02 00 00 00 00 01                                        # source link-layer address
    """)

  /// A host without an address asks whether it may have 2001:db8::1:9.
  static let probe = hex(
    """
    33 33 ff 01 00 09 02 00 00 00 00 0a 86 dd
    60 00 00 00 00 18 3a ff                                        # 24 bytes
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00                # from ::
    ff 02 00 00 00 00 00 00 00 00 00 01 ff 01 00 09
    87 00 4c db 00 00 00 00
    20 01 0d b8 00 00 00 00 00 00 00 00 00 01 00 09
    """)

  /// It has it, and tells all.
  static let advertisement = hex(
    """
    33 33 00 00 00 01 02 00 00 00 00 0a 86 dd                      # all nodes
    60 00 00 00 00 20 3a ff
    20 01 0d b8 00 00 00 00 00 00 00 00 00 01 00 09                # from the address itself
    ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01
    88 00 f9 0f 20 00 00 00                                         # advertisement, override
    20 01 0d b8 00 00 00 00 00 00 00 00 00 01 00 09
    02 01 02 00 00 00 00 0a                                        # target link-layer address
    """)

  private func drop(_ bytes: [UInt8]) -> FrameDrop? {
    do {
      _ = try NeighborMessage(bytes.span)
      return nil
    } catch {
      return error
    }
  }

  /// `bytes` with the checksum made right again.
  static func summed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = patched(bytes, at: 56, 0, 0)
    let source = bytes.span.v6(at: 22)
    let destination = bytes.span.v6(at: 38)
    let end = 54 + Int(bytes.span.uint16(at: 18))
    let sum = NeighborMessage.checksum(bytes[54..<end].span, source: source, destination: destination)
    bytes.replaceSubrange(56..<58, with: [UInt8(sum >> 8), UInt8(truncatingIfNeeded: sum)])
    return bytes
  }

  @Test func `a solicitation is read field by field`() throws {
    let message = try NeighborMessage(Self.solicitation.span)
    #expect(message.ethernetDestination == mac("33:33:ff:01:00:09"))
    #expect(message.ethernetSource == Self.other)
    #expect(message.source == ip("fe80::1"))
    #expect(message.destination == ip("ff02::1:ff01:9"))
    #expect(message.kind == .solicitation)
    #expect(message.target == Self.vip)
    #expect(message.linkLayerAddress == Self.other)
    #expect(message.frame() == Self.solicitation)
  }

  @Test func `a probe does not say that the address is ours`() throws {
    let message = NeighborMessage.duplicateProbe(for: Self.vip, from: Self.own)
    #expect(message.frame() == Self.probe)
    #expect(try NeighborMessage(Self.probe.span) == message)
  }

  @Test func `an unsolicited advertisement tells all, whatever they knew`() throws {
    let message = NeighborMessage.unsolicitedAdvertisement(for: Self.vip, from: Self.own)
    #expect(message.frame() == Self.advertisement)
    #expect(try NeighborMessage(Self.advertisement.span) == message)
  }

  @Test func `the flags of an advertisement are read and written`() throws {
    for flags in UInt8(0)..<8 {
      var message = NeighborMessage.unsolicitedAdvertisement(for: Self.vip, from: Self.own)
      message.destination = ip("fe80::7")
      message.kind = .advertisement(router: flags & 4 != 0, solicited: flags & 2 != 0, override: flags & 1 != 0)
      #expect(message.frame()[58] == flags << 5)
      #expect(try NeighborMessage(message.frame().span) == message)
    }
  }

  @Test func `other options are passed over and the first of ours counts`() throws {
    // A nonce (RFC 3971) of 8 bytes before, and a second address after.
    let nonce = hex("0e 01 11 22 33 44 55 66")
    let second = hex("02 01 02 00 00 00 00 99")
    var bytes = Self.advertisement
    bytes.insert(contentsOf: nonce, at: 78)
    bytes = Self.summed(patched(bytes + second, at: 18, 0, 0x30))
    #expect(try NeighborMessage(bytes.span).linkLayerAddress == Self.own)
  }

  @Test func `padding after the message is not part of it`() throws {
    #expect(try NeighborMessage((Self.probe + hex("de ad be ef")).span) == NeighborMessage(Self.probe.span))
  }

  @Test(arguments: [
    (patched(solicitation, at: 12, 0x08, 0x06), FrameDrop.etherType),
    (patched(solicitation, at: 6, 0x33), .senderNotUnicast), (patched(solicitation, at: 14, 0x40), .notIPv6),
    (patched(solicitation, at: 20, 0), .nextHeader),  // hop-by-hop options
    (patched(solicitation, at: 18, 0, 0x21), .payloadLength), (patched(solicitation, at: 18, 0, 0x17), .tooShort),
    (patched(solicitation, at: 21, 254), .hopLimit), (patched(solicitation, at: 54, 133), .messageType),
    (patched(solicitation, at: 57, 0), .checksum), (patched(solicitation, at: 77, 8), .checksum),
    (summed(patched(solicitation, at: 55, 1)), .code),
    (summed(patched(solicitation, at: 62, 0xFF)), .targetIsMulticast),
    (summed(patched(solicitation, at: 22, 0xFF)), .source), (summed(patched(solicitation, at: 79, 0)), .optionLength),
    (summed(patched(solicitation, at: 79, 2)), .optionLength),
    (summed(patched(solicitation, at: 80, 0x33)), .senderNotUnicast),
    // One byte of an option.
    (summed(patched(solicitation, at: 18, 0, 0x19)), .optionLength),
    // From no address.
    (summed(patched(solicitation, at: 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), .solicitationOption),
    (summed(patched(probe, at: 38, 0xFE, 0x80)), .solicitationDestination),
    (summed(patched(probe, at: 50, 0)), .solicitationDestination),
    (
      summed(patched(advertisement, at: 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), .source
    ),
    (summed(patched(advertisement, at: 58, 0x60)), .solicitedToGroup),
  ])
  func `what RFC 4861 does not hold for valid is dropped by its reason`(_ bytes: [UInt8], _ reason: FrameDrop) {
    #expect(drop(bytes) == reason)
  }

  @Test func `a frame that ends early is dropped, at whatever byte`() {
    for count in 0..<54 { #expect(drop(Array(Self.advertisement[..<count])) == .tooShort) }
    for count in 54..<Self.advertisement.count {
      #expect(drop(Array(Self.advertisement[..<count])) == .payloadLength)
    }
  }

  @Test func `each drop reason has a test`() {
    let arp: Set<FrameDrop> = [.hardwareType, .protocolType, .addressLength, .operation, .senderMismatch]
    let neighbor: Set<FrameDrop> = [
      .notIPv6, .nextHeader, .payloadLength, .hopLimit, .messageType, .checksum, .code, .source, .targetIsMulticast,
      .optionLength, .solicitationDestination, .solicitationOption, .solicitedToGroup,
    ]
    #expect(arp.union(neighbor).union([.tooShort, .etherType, .senderNotUnicast]) == Set(FrameDrop.allCases))
  }
}
