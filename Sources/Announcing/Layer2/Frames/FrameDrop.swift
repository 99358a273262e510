/// Why a frame that was heard is not used: one list for metric and test.
enum FrameDrop: String, Error, Hashable, Sendable, CaseIterable {
  /// It ends before what it must hold.
  case tooShort = "too-short"
  /// It is of another protocol than was listened for, or has a VLAN tag: it is for another LAN.
  case etherType = "ether-type"
  /// Its sender's link-layer address is a group's or zero: no host's.
  case senderNotUnicast = "sender-not-unicast"

  /// ARP of another hardware than Ethernet.
  case hardwareType = "hardware-type"
  /// ARP for another protocol than IPv4.
  case protocolType = "protocol-type"
  /// ARP whose addresses are not of 6 and 4 bytes.
  case addressLength = "address-length"
  /// ARP that is neither a request nor a reply.
  case operation
  /// ARP that was sent from another link-layer address than it tells: forged.
  case senderMismatch = "sender-mismatch"

  /// Its IP version is not 6.
  case notIPv6 = "not-ipv6"
  /// It is not ICMPv6, or has extension headers first, which no neighbour message needs.
  case nextHeader = "next-header"
  /// It says to be longer than it is.
  case payloadLength = "payload-length"
  /// Its hop limit is not 255: it may come from beyond a router.
  case hopLimit = "hop-limit"
  /// ICMPv6 that is neither a neighbour solicitation nor an advertisement.
  case messageType = "message-type"
  case checksum
  /// Its ICMP code is not 0.
  case code
  /// Its IP source is multicast, or that of an advertisement is unspecified.
  case source
  case targetIsMulticast = "target-is-multicast"
  /// An option has no length, runs past the end, or is not as long as a link-layer address takes.
  case optionLength = "option-length"
  /// A solicitation from no address goes to another than a solicited-node multicast address.
  case solicitationDestination = "solicitation-destination"
  /// A solicitation from no address has a source link-layer address option.
  case solicitationOption = "solicitation-option"
  /// An advertisement to a group says that it was solicited.
  case solicitedToGroup = "solicited-to-group"
}
