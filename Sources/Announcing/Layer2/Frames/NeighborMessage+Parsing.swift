import Addresses

extension NeighborMessage {
  static let icmp: UInt8 = 58
  static let hopLimit: UInt8 = 255
  static let solicitationType: UInt8 = 135
  static let advertisementType: UInt8 = 136
  static let sourceOption: UInt8 = 1
  static let targetOption: UInt8 = 2

  private static let headerByteCount = 40
  /// A message without options: both kinds are as long.
  private static let messageByteCount = 24

  /// Reads a frame as a packet socket gives it, and validates it as RFC 4861, sections 7.1.1 and 7.1.2, asks.
  init(_ frame: Span<UInt8>) throws(FrameDrop) {
    let header = try EthernetHeader(frame, .ipv6)
    let start = EthernetHeader.byteCount + Self.headerByteCount
    guard frame.count >= start else { throw .tooShort }
    guard frame[14] >> 4 == 6 else { throw .notIPv6 }
    guard frame[20] == Self.icmp else { throw .nextHeader }
    guard frame[21] == Self.hopLimit else { throw .hopLimit }
    let length = Int(frame.uint16(at: 18))
    guard length <= frame.count - start else { throw .payloadLength }
    guard length >= Self.messageByteCount else { throw .tooShort }
    // What follows the payload is the frame's padding.
    let message = frame.extracting(start..<start + length)
    let isSolicitation = message[0] == Self.solicitationType
    guard isSolicitation || message[0] == Self.advertisementType else { throw .messageType }
    let source = frame.v6(at: 22)
    let destination = frame.v6(at: 38)
    // Over a message with its checksum in it, the sum comes to zero.
    guard Self.checksum(message, source: source, destination: destination) == 0 else { throw .checksum }
    guard message[1] == 0 else { throw .code }
    let target = message.v6(at: 8)
    guard !target.isMulticast else { throw .targetIsMulticast }
    guard !source.isMulticast, isSolicitation || !source.isUnspecified else { throw .source }
    let option = try Self.linkLayerAddress(in: message, isSolicitation ? Self.sourceOption : Self.targetOption)
    if let option, !option.isHost { throw .senderNotUnicast }

    ethernetSource = header.source
    ethernetDestination = header.destination
    self.source = source
    self.destination = destination
    self.target = target
    linkLayerAddress = option
    if isSolicitation {
      kind = .solicitation
      if source.isUnspecified {
        guard destination.isSolicitedNode else { throw .solicitationDestination }
        guard option == nil else { throw .solicitationOption }
      }
    } else {
      let flags = message[4]
      kind = .advertisement(router: flags & 0x80 != 0, solicited: flags & 0x40 != 0, override: flags & 0x20 != 0)
      if flags & 0x40 != 0, destination.isMulticast { throw .solicitedToGroup }
    }
  }

  /// The first link-layer address option of `type`; others are passed over (RFC 4861, section 4.6).
  private static func linkLayerAddress(in message: Span<UInt8>, _ type: UInt8) throws(FrameDrop) -> MACAddress? {
    var found: MACAddress?
    var place = messageByteCount
    while place < message.count {
      guard place + 2 <= message.count else { throw .optionLength }
      // In units of 8 bytes, type and length included.
      let length = Int(message[place + 1]) * 8
      guard length > 0, place + length <= message.count else { throw .optionLength }
      if message[place] == type {
        guard length == 8 else { throw .optionLength }
        if found == nil { found = message.mac(at: place + 2) }
      }
      place += length
    }
    return found
  }

  /// The Internet checksum of an ICMPv6 message and its pseudo-header (RFC 8200, section 8.1; RFC 1071).
  static func checksum(_ message: Span<UInt8>, source: IPAddress, destination: IPAddress) -> UInt16 {
    var sum = UInt64(message.count) + UInt64(icmp)
    for address in [source, destination] {
      for shift in stride(from: 0, to: 128, by: 16) { sum += UInt64(UInt16(truncatingIfNeeded: address.bits >> shift)) }
    }
    for place in stride(from: 0, to: message.count - 1, by: 2) { sum += UInt64(message.uint16(at: place)) }
    if message.count % 2 == 1 { sum += UInt64(message[message.count - 1]) << 8 }
    while sum > 0xFFFF { sum = (sum >> 16) + (sum & 0xFFFF) }
    return ~UInt16(sum)
  }
}
