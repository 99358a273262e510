import Addresses

/// The first 14 bytes of an Ethernet frame (IEEE 802.3; RFC 894, RFC 2464).
struct EthernetHeader: Hashable, Sendable {
  static let byteCount = 14
  /// What a frame has at least, the checksum at its end not counted; shorter ones are padded.
  static let leastFrameByteCount = 60

  /// What a frame carries (IEEE 802 numbers).
  enum EtherType: UInt16, Sendable {
    case arp = 0x0806
    case ipv6 = 0x86DD
  }

  let destination: MACAddress
  let source: MACAddress

  init(destination: MACAddress, source: MACAddress) {
    self.destination = destination
    self.source = source
  }

  /// Reads the header of a frame that carries `type`.
  init(_ frame: Span<UInt8>, _ type: EtherType) throws(FrameDrop) {
    guard frame.count >= Self.byteCount else { throw .tooShort }
    guard frame.uint16(at: 12) == type.rawValue else { throw .etherType }
    destination = frame.mac(at: 0)
    source = frame.mac(at: 6)
    guard source.isHost else { throw .senderNotUnicast }
  }

  /// The header's bytes, to which the rest is appended.
  func bytes(_ type: EtherType) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(96)
    bytes.append(destination)
    bytes.append(source)
    bytes.append(uint16: type.rawValue)
    return bytes
  }
}

extension MACAddress {
  /// Whether a host may have it: it is neither a group's nor zero.
  var isHost: Bool { !isMulticast && bits != 0 }

  /// Where frames to an IPv6 multicast address go: 33:33 and its last four bytes (RFC 2464, section 7).
  init(multicast group: IPAddress) {
    self.init(bits: 0x3333_0000_0000 | UInt64(truncatingIfNeeded: group.bits & 0xFFFF_FFFF))
  }
}
