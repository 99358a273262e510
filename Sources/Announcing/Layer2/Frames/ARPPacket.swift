import Addresses

/// An ARP packet for IPv4 over Ethernet, in its frame (RFC 826, RFC 5227).
struct ARPPacket: Hashable, Sendable {
  /// Raw values are the wire's.
  enum Operation: UInt16, Sendable, CaseIterable {
    case request = 1
    case reply = 2
  }

  /// Ethernet's 14 bytes and ARP's 28; a frame has 60 at least.
  static let byteCount = EthernetHeader.byteCount + 28

  var ethernetSource: MACAddress
  var ethernetDestination: MACAddress
  var operation: Operation
  var senderMAC: MACAddress
  /// Zero in a probe.
  var senderAddress: IPAddress
  /// What is asked for is not known: zero in a request, by custom.
  var targetMAC: MACAddress
  var targetAddress: IPAddress

  init(
    from mac: MACAddress, to destination: MACAddress, _ operation: Operation, sender: IPAddress, targetMAC: MACAddress,
    target: IPAddress
  ) {
    ethernetSource = mac
    ethernetDestination = destination
    self.operation = operation
    senderMAC = mac
    senderAddress = sender
    self.targetMAC = targetMAC
    targetAddress = target
  }

  /// Reads a frame as a packet socket gives it; what follows the packet is padding.
  init(_ frame: Span<UInt8>) throws(FrameDrop) {
    let header = try EthernetHeader(frame, .arp)
    guard frame.count >= Self.byteCount else { throw .tooShort }
    guard frame.uint16(at: 14) == 1 else { throw .hardwareType }
    guard frame.uint16(at: 16) == 0x0800 else { throw .protocolType }
    guard frame[18] == 6, frame[19] == 4 else { throw .addressLength }
    guard let operation = Operation(rawValue: frame.uint16(at: 20)) else { throw .operation }
    ethernetSource = header.source
    ethernetDestination = header.destination
    self.operation = operation
    senderMAC = frame.mac(at: 22)
    senderAddress = frame.v4(at: 28)
    targetMAC = frame.mac(at: 32)
    targetAddress = frame.v4(at: 38)
    guard senderMAC.isHost else { throw .senderNotUnicast }
    guard senderMAC == ethernetSource else { throw .senderMismatch }
  }

  /// The bytes to send, padded to an Ethernet frame's least.
  func frame() -> [UInt8] {
    var bytes = EthernetHeader(destination: ethernetDestination, source: ethernetSource).bytes(.arp)
    bytes.append(uint16: 1)
    bytes.append(uint16: 0x0800)
    bytes += [6, 4]
    bytes.append(uint16: operation.rawValue)
    bytes.append(senderMAC)
    bytes.append(senderAddress)
    bytes.append(targetMAC)
    bytes.append(targetAddress)
    bytes += [UInt8](repeating: 0, count: EthernetHeader.leastFrameByteCount - bytes.count)
    return bytes
  }

  /// Asks whether anyone has `address`, without saying that we have it (RFC 5227, section 2.1.1).
  static func probe(for address: IPAddress, from mac: MACAddress) -> ARPPacket {
    ARPPacket(
      from: mac, to: .broadcast, .request, sender: IPAddress(v4: 0), targetMAC: MACAddress(bits: 0), target: address)
  }

  /// Tells all that `address` is at `mac`, by a request: what most hosts learn from (RFC 5227's announcement).
  static func gratuitousRequest(for address: IPAddress, from mac: MACAddress) -> ARPPacket {
    gratuitous(.request, for: address, from: mac)
  }

  /// The same by a reply: some learn from those only. Both are as MetalLB sends them.
  static func gratuitousReply(for address: IPAddress, from mac: MACAddress) -> ARPPacket {
    gratuitous(.reply, for: address, from: mac)
  }

  private static func gratuitous(_ operation: Operation, for address: IPAddress, from mac: MACAddress) -> ARPPacket {
    ARPPacket(from: mac, to: .broadcast, operation, sender: address, targetMAC: .broadcast, target: address)
  }
}
