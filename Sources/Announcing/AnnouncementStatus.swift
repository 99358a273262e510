import Addresses

/// Where the announcement of one address stands, on one interface.
public struct AnnouncementStatus: Hashable, Sendable {
  /// What is being done about it.
  public enum State: Hashable, Sendable {
    /// Asking whether anyone else has the address.
    case probing
    /// The address is this host's, since that second of Unix time.
    case announced(since: Int)
    /// It is not, and why; tried again when that changes, every 5 s where only a try can tell.
    case waiting(AnnouncementObstacle)
    /// No longer to be announced, and given back.
    case withdrawn
  }

  /// What was done for it so far.
  public struct Counters: Hashable, Sendable {
    /// ARP probes and neighbour solicitations sent to find other holders.
    public var probes: UInt64 = 0
    /// Gratuitous ARP frames and unsolicited neighbour advertisements sent.
    public var gratuitous: UInt64 = 0
    /// Frames seen in which someone else claims the address.
    public var conflicts: UInt64 = 0
    /// How often it was advertised because someone else claimed it; part of ``gratuitous``.
    public var defences: UInt64 = 0
    /// How often the address's lifetime was renewed.
    public var renewals: UInt64 = 0

    public init() {}
  }

  public let address: IPAddress
  /// The interface's name; empty where none is fit.
  public let interface: String
  public var state: State
  public var counters: Counters
  /// What works less well than it should, as `arp_ignore of eth0 is 0 and cannot be set`.
  public var warnings: [String]
  /// Who else claimed the address last while this host had it; nil where nobody did. A status with another one, or with
  /// more conflicts, is told of when the address has been defended.
  public var rival: MACAddress?

  public init(
    _ address: IPAddress, interface: String, state: State, counters: Counters = Counters(), warnings: [String] = [],
    rival: MACAddress? = nil
  ) {
    self.address = address
    self.interface = interface
    self.state = state
    self.counters = counters
    self.warnings = warnings
    self.rival = rival
  }
}

/// Why an address is not announced although it should be.
public enum AnnouncementObstacle: Hashable, Sendable {
  /// Someone else on the LAN has it.
  case addressInUse(by: MACAddress)
  /// The interface that is asked for is not there.
  case noSuchInterface(String)
  /// The interface is there and cannot be used.
  case unusableInterface(String, InterfaceProblem)
  /// No interface asks for it, and none is fit.
  case noFittingInterface
  /// An interface of this host has the address, and not from Roadstead: it is left alone.
  case onHostAlready(interface: String)
  /// The process may not do this, as `CAP_NET_ADMIN`.
  case missingCapability(String)
  /// The kernel refused, in its own words.
  case system(String)
}

extension AnnouncementObstacle {
  /// The interface that its words name.
  public var interface: String? {
    switch self {
    case .noSuchInterface(let name), .unusableInterface(let name, _), .onHostAlready(interface: let name): name
    case .addressInUse, .noFittingInterface, .missingCapability, .system: nil
    }
  }
}

extension AnnouncementObstacle: CustomStringConvertible {
  public var description: String {
    switch self {
    case .addressInUse(let mac): "address already in use by \(mac)"
    case .noSuchInterface(let name): "interface \(name) does not exist"
    case .unusableInterface(let name, let problem): "interface \(name) \(problem)"
    case .noFittingInterface: "no interface is fit for it"
    case .onHostAlready(let interface): "already on interface \(interface), not put there by Roadstead"
    case .missingCapability(let name): "needs \(name)"
    case .system(let text): text
    }
  }
}

/// Why an interface cannot announce an address.
public enum InterfaceProblem: Hashable, Sendable {
  case isDown
  case hasNoCarrier
  case isLoopback
  /// It is a port of this bridge, bond or VRF, which is the one to use.
  case isEnslaved(to: String)
  /// It does not do ARP (IFF_NOARP), or is no broadcast network.
  case hasNoARP
  /// It has no link-layer address of six bytes.
  case hasNoMAC
}

extension InterfaceProblem: CustomStringConvertible {
  /// Continues `interface eth0 `.
  public var description: String {
    switch self {
    case .isDown: "is down"
    case .hasNoCarrier: "has no carrier"
    case .isLoopback: "is a loopback"
    case .isEnslaved(let master): "is a port of \(master)"
    case .hasNoARP: "does no ARP"
    case .hasNoMAC: "has no Ethernet address"
    }
  }
}
