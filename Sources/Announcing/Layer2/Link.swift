import Addresses

/// A network interface as the kernel describes it (rtnetlink(7)), with its addresses.
struct Link: Hashable, Sendable {
  /// IFF_*, those that matter here (netdevice(7)).
  struct Flags: OptionSet, Hashable, Sendable {
    let rawValue: UInt32
    static let up = Flags(rawValue: 1)
    static let broadcast = Flags(rawValue: 1 << 1)
    static let loopback = Flags(rawValue: 1 << 3)
    static let noARP = Flags(rawValue: 1 << 7)
    /// The carrier is there (IFF_LOWER_UP).
    static let lowerUp = Flags(rawValue: 1 << 16)
  }

  /// The kernel's number for it (if_index), above zero; a new interface never has an old one's soon.
  let index: CInt
  var name: String
  var flags: Flags
  var mac: MACAddress?
  /// The index of the bridge, bond or VRF whose port it is; 0 for none.
  var master: CInt
  /// The index of the link that a macvlan or ipvlan stands on, whose LAN is its own; 0 for all others.
  var parent: CInt = 0
  var addresses: [LinkAddress] = []
}

/// An address of a ``Link``.
struct LinkAddress: Hashable, Sendable {
  /// IFA_F_*, those that matter here.
  struct Flags: OptionSet, Hashable, Sendable {
    let rawValue: UInt32
    static let noDAD = Flags(rawValue: 0x02)
    static let dadFailed = Flags(rawValue: 0x08)
    static let tentative = Flags(rawValue: 0x40)
    static let noPrefixRoute = Flags(rawValue: 0x200)
  }

  let address: IPAddress
  let prefixLength: Int
  var flags: Flags
  /// Seconds that it lives on unless renewed (IFA_CACHEINFO); nil for ever.
  var validSeconds: UInt32?

  /// Whether it looks as Roadstead puts it there: a host's prefix, no route, a lifetime of at most
  /// ``ClaimTimes/longestLifetime``.
  var isOfRoadstead: Bool {
    prefixLength == address.family.bitCount && flags.contains(.noPrefixRoute)
      && validSeconds.map { $0 <= ClaimTimes.longestLifetime } == true
  }
}

/// What the kernel tells of links and addresses.
enum LinkEvent: Hashable, Sendable {
  /// There is a link, or it is another one now; its addresses do not count here.
  case link(Link)
  case linkGone(index: CInt)
  case address(LinkAddress, index: CInt)
  case addressGone(IPAddress, prefixLength: Int, index: CInt)

  /// The link that it is about as a whole; nil where it is about an address.
  var linkIndex: CInt? {
    switch self {
    case .link(let link): link.index
    case .linkGone(let index): index
    case .address, .addressGone: nil
    }
  }
}
