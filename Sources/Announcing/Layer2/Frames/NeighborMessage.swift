import Addresses

/// A neighbour solicitation or advertisement in its Ethernet frame (RFC 4861, RFC 4862).
struct NeighborMessage: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    /// Asks who has the target (section 4.3).
    case solicitation
    /// Says who has it (section 4.4).
    case advertisement(router: Bool, solicited: Bool, override: Bool)
  }

  var ethernetSource: MACAddress
  var ethernetDestination: MACAddress
  /// Unspecified where a host asks for an address that it wants to take.
  var source: IPAddress
  var destination: IPAddress
  var kind: Kind
  var target: IPAddress
  /// A solicitation's source, an advertisement's target link-layer address option.
  var linkLayerAddress: MACAddress?

  /// Who sent it, in its own words where it has them.
  var senderMAC: MACAddress { linkLayerAddress ?? ethernetSource }

  init(
    from mac: MACAddress, source: IPAddress, to destination: IPAddress, _ kind: Kind, target: IPAddress,
    linkLayerAddress: MACAddress?
  ) {
    ethernetSource = mac
    ethernetDestination = MACAddress(multicast: destination)
    self.source = source
    self.destination = destination
    self.kind = kind
    self.target = target
    self.linkLayerAddress = linkLayerAddress
  }

  /// The bytes to send, checksum included.
  func frame() -> [UInt8] {
    var message: [UInt8] = []
    switch kind {
    case .solicitation:
      message += [Self.solicitationType, 0, 0, 0, 0, 0, 0, 0]
    case .advertisement(let router, let solicited, let override):
      let flags: UInt8 = (router ? 0x80 : 0) | (solicited ? 0x40 : 0) | (override ? 0x20 : 0)
      message += [Self.advertisementType, 0, 0, 0, flags, 0, 0, 0]
    }
    message.append(target)
    if let linkLayerAddress {
      message += [kind == .solicitation ? Self.sourceOption : Self.targetOption, 1]
      message.append(linkLayerAddress)
    }
    let checksum = Self.checksum(message.span, source: source, destination: destination)
    message[2] = UInt8(checksum >> 8)
    message[3] = UInt8(truncatingIfNeeded: checksum)

    var bytes = EthernetHeader(destination: ethernetDestination, source: ethernetSource).bytes(.ipv6)
    bytes += [0x60, 0, 0, 0]
    bytes.append(uint16: UInt16(message.count))
    bytes += [Self.icmp, Self.hopLimit]
    bytes.append(source)
    bytes.append(destination)
    return bytes + message
  }

  /// Asks whether anyone has `address`, without saying that we want it for ourselves (RFC 4862, section 5.4.2).
  static func duplicateProbe(for address: IPAddress, from mac: MACAddress) -> NeighborMessage {
    NeighborMessage(
      from: mac, source: IPAddress(v6: 0), to: .solicitedNode(of: address), .solicitation, target: address,
      linkLayerAddress: nil)
  }

  /// Tells all that `address` is at `mac`, whatever they knew (RFC 4861, section 7.2.6).
  static func unsolicitedAdvertisement(for address: IPAddress, from mac: MACAddress) -> NeighborMessage {
    NeighborMessage(
      from: mac, source: address, to: .allNodes, .advertisement(router: false, solicited: false, override: true),
      target: address, linkLayerAddress: mac)
  }
}

extension IPAddress {
  /// ff02::1: every host of the link.
  static let allNodes = IPAddress(v6: 0xFF02 << 112 | 1)

  private static let solicitedNodes = IPAddress(v6: 0xFF02 << 112 | 0x1_FF00_0000)

  /// ff02::1:ff00:0/104 with the address's last 24 bits (RFC 4291, section 2.7.1).
  static func solicitedNode(of address: IPAddress) -> IPAddress {
    IPAddress(v6: solicitedNodes.bits | address.bits & 0xFF_FFFF)
  }

  var isSolicitedNode: Bool { family == .v6 && bits >> 24 == Self.solicitedNodes.bits >> 24 }
}
