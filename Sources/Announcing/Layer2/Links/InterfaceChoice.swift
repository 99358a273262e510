import Addresses

/// On which interfaces an address is to be claimed, and why not on others.
struct InterfaceChoice: Hashable, Sendable {
  /// An interface on which it is not, where someone may have expected it.
  struct Refusal: Hashable, Sendable {
    /// Empty where it is about none in particular.
    let interface: String
    let obstacle: AnnouncementObstacle
  }

  /// Indices, ascending.
  var chosen: [CInt] = []
  var refusals: [Refusal] = []
  /// IPv4: the interfaces that are on one LAN with a chosen one, it included; each would answer ARP for the address
  /// that is on another of them, by its own MAC, unless arp_ignore is 1 (Linux, ip-sysctl). One LAN is where they share
  /// a subnet, or one stands on the other, or both on a third.
  var needsARPIgnore: Set<CInt> = []

  /// Chooses among `links`; `current` are those on which the address is claimed now.
  ///
  /// - An address that this host has, not from Roadstead, is left alone.
  /// - Named interfaces are used where they can be, whatever MetalLB thinks of their names.
  /// - Else one whose subnet holds the address, by the longest prefix. Several on that subnet are one LAN, where two
  ///   MACs for one address would make neighbours' caches flap: the current one stays, or the first is taken.
  /// - Where no subnet holds it, all that MetalLB would use, again one of those on one LAN.
  static func choose(_ announcement: Announcement, among links: LinkTable, current: Set<CInt>) -> InterfaceChoice {
    let address = announcement.address
    var choice = InterfaceChoice()
    if let (holder, held) = links.holder(of: address), !held.isOfRoadstead {
      choice.refuse(holder.name, .onHostAlready(interface: holder.name))
      return choice
    }
    switch announcement.interfaces {
    case .named(let names): choice.takeNamed(names, address.family, links)
    case .fitting: choice.takeFitting(address, links, current)
    }
    choice.chosen.sort()
    if address.family == .v4 { choice.findRivalsOfChosen(links) }
    return choice
  }

  private mutating func refuse(_ interface: String, _ obstacle: AnnouncementObstacle) {
    refusals.append(Refusal(interface: interface, obstacle: obstacle))
  }

  private mutating func takeNamed(_ names: Set<String>, _ family: IPAddress.Family, _ links: LinkTable) {
    for name in names.sorted() {
      if let link = links[name] {
        take(link, unless: links.problem(of: link, family))
      } else {
        refuse(name, .noSuchInterface(name))
      }
    }
    if names.isEmpty { refuse("", .noFittingInterface) }
  }

  private mutating func take(_ link: Link, unless problem: InterfaceProblem?) {
    if let problem {
      refuse(link.name, .unusableInterface(link.name, problem))
    } else {
      chosen.append(link.index)
    }
  }

  private mutating func takeFitting(_ address: IPAddress, _ links: LinkTable, _ current: Set<CInt>) {
    let family = address.family
    // The current one first, so that one that comes back does not take the address from it.
    let candidates = links.all.filter { current.contains($0.index) } + links.all.filter { !current.contains($0.index) }
    var longest: (link: Link, length: Int)?
    var unusable: [(link: Link, problem: InterfaceProblem)] = []
    for link in candidates {
      guard let length = links.subnets(of: link, family).filter({ $0.contains(address) }).map(\.length).max() else {
        continue
      }
      if let problem = links.problem(of: link, family) {
        unusable.append((link, problem))
      } else if length > longest?.length ?? -1 {
        longest = (link, length)
      }
    }
    if let longest {
      chosen = [longest.link.index]
    } else if !unusable.isEmpty {
      // The address belongs to that LAN: nobody on another would ask for it.
      for (link, problem) in unusable.sorted(by: { $0.link.index < $1.link.index }) { take(link, unless: problem) }
    } else {
      takeAll(candidates.filter { links.problem(of: $0, family) == nil && $0.isOneForMetalLB(family) }, links)
      if chosen.isEmpty { refuse("", .noFittingInterface) }
    }
  }

  /// All of `candidates`, but only the first of those that share a subnet or a device.
  private mutating func takeAll(_ candidates: [Link], _ links: LinkTable) {
    var taken: Set<IPPrefix> = []
    var devices: Set<CInt> = []
    for link in candidates {
      let subnets = links.lanSubnets(of: link)
      guard taken.isDisjoint(with: subnets), devices.insert(link.device).inserted else { continue }
      taken.formUnion(subnets)
      chosen.append(link.index)
    }
  }

  private mutating func findRivalsOfChosen(_ links: LinkTable) {
    let usable = links.all.filter { links.problem(of: $0, .v4) == nil }
    for link in chosen.compactMap({ links[$0] }) {
      let subnets = links.subnets(of: link, .v4)
      let sharing = usable.filter { $0.device == link.device || !links.subnets(of: $0, .v4).isDisjoint(with: subnets) }
      if sharing.count > 1 { needsARPIgnore.formUnion(sharing.map(\.index)) }
    }
  }
}

extension Link {
  /// The index of the device on whose LAN the link is: what a macvlan stands on, or itself.
  fileprivate var device: CInt { parent == 0 ? index : parent }
}

extension LinkTable {
  /// The subnets that tell one LAN from another: those of link-local addresses are the same on all.
  fileprivate func lanSubnets(of link: Link) -> Set<IPPrefix> {
    subnets(of: link, .v4).filter { $0.network.bits >> 16 != 0xA9FE }
      .union(subnets(of: link, .v6).filter { $0.network.bits >> 118 != 0xFE80 >> 6 })
  }
}
