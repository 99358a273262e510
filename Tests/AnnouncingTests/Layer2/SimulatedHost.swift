import Addresses

@testable import Announcing

/// A host of a ``SimulatedLAN``: a kernel that has addresses, and a process that claims them or does not run.
struct SimulatedHost {
  /// What the process reads from its sockets, in order.
  enum Note {
    case frame([UInt8])
    case dropped(IPAddress)
    case linkLost
    case linkBack
    case tenure(Tenure)
    /// The carrier was away so shortly that the link was not taken for lost.
    case flap
  }

  struct Process {
    var claims: [IPAddress: AddressClaim] = [:]
    /// When its loop, which stands still, goes on; nil while it runs.
    var stalledUntil: Double?
    /// What came meanwhile.
    var inbox: [Note] = []
  }

  let mac: MACAddress
  var wanted: Set<IPAddress> = []
  var isLinkUp = true
  /// As its Lease has it; what its process knows may be older.
  var tenure = Tenure.alone
  /// The addresses on its interface and when they lapse.
  var kernel: [IPAddress: Double] = [:]
  /// Those of them that lapsed and were not put back since.
  var lapsed: Set<IPAddress> = []
  var process: Process?
  /// Hosts of another part cannot be reached.
  var part = 0
  /// When something last happened after which an address may be on two hosts: it started, woke up, or its link came back.
  var lastDisturbed = 0.0

  /// When it last could not be reached before and can be now, or the other way round.
  var lastReached = -1.0

  init(_ mac: MACAddress) { self.mac = mac }

  /// Whether it runs and its loop does.
  var isAwake: Bool { process.map { $0.stalledUntil == nil } ?? false }

  func holds(_ address: IPAddress) -> Bool { isLinkUp && kernel[address] != nil }

  /// When something is to happen without a frame.
  var next: Double {
    let lapse = kernel.values.min() ?? .infinity
    guard let process else { return lapse }
    return min(lapse, process.stalledUntil ?? process.claims.values.compactMap(\.deadline).min() ?? .infinity)
  }

  /// What the kernel answers to a frame, without asking the process (arp(7), RFC 4862, section 5.4.3).
  func answer(to frame: [UInt8]) -> [UInt8]? {
    if let packet = try? ARPPacket(frame.span) {
      guard packet.operation == .request, kernel[packet.targetAddress] != nil else { return nil }
      return ARPPacket(
        from: mac, to: packet.senderMAC, .reply, sender: packet.targetAddress, targetMAC: packet.senderMAC,
        target: packet.senderAddress
      ).frame()
    }
    guard let message = try? NeighborMessage(frame.span), message.kind == .solicitation,
      message.source.isUnspecified, kernel[message.target] != nil
    else { return nil }
    return NeighborMessage.unsolicitedAdvertisement(for: message.target, from: mac).frame()
  }
}
