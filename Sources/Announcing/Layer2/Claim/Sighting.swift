import Addresses

/// What a frame of another host says about an address.
struct Sighting: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    /// The host says that the address is its own.
    case claim
    /// It says so where it was asked, or may have been: an ARP reply to this host, any neighbour advertisement.
    case answer
    /// It asks whether anyone has the address, and means to take it.
    case probe
  }

  let address: IPAddress
  let kind: Kind
  /// The other host.
  let mac: MACAddress

  /// What `packet` says; nil for a frame from one of this host's own addresses, on whatever interface it came back.
  ///
  /// Any ARP packet counts as a claim of its sender's address (RFC 5227, section 2.4), not only a gratuitous one.
  init?(_ packet: ARPPacket, own: Set<MACAddress>) {
    guard !own.contains(packet.senderMAC) else { return nil }
    mac = packet.senderMAC
    if !packet.senderAddress.isUnspecified {
      address = packet.senderAddress
      kind = packet.operation == .reply && own.contains(packet.ethernetDestination) ? .answer : .claim
    } else if packet.operation == .request {
      address = packet.targetAddress
      kind = .probe
    } else {
      return nil
    }
  }

  /// What `message` says; nil as above.
  init?(_ message: NeighborMessage, own: Set<MACAddress>) {
    guard !own.contains(message.ethernetSource), !own.contains(message.senderMAC) else { return nil }
    mac = message.senderMAC
    switch message.kind {
    case .advertisement:
      address = message.target
      kind = .answer
    case .solicitation where message.source.isUnspecified:
      address = message.target
      kind = .probe
    case .solicitation:
      address = message.source
      kind = .claim
    }
  }
}
