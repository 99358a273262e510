import Addresses

/// The interfaces of this host and their addresses, as the kernel's messages tell them.
struct LinkTable: Sendable {
  private var links: [CInt: Link] = [:]
  /// The link-layer addresses of this host: frames from these are no one else's.
  private(set) var ownMACs: Set<MACAddress> = []

  /// By index.
  var all: [Link] { links.values.sorted { $0.index < $1.index } }

  subscript(index: CInt) -> Link? { links[index] }

  /// The link of that name; the newest, where a message about an older one is still to come.
  subscript(name: String) -> Link? { links.values.filter { $0.name == name }.max { $0.index < $1.index } }

  /// Takes in what the kernel says. What it says of an address of an unknown link is passed over.
  mutating func apply(_ event: LinkEvent) {
    switch event {
    case .link(var link):
      link.addresses = links[link.index]?.addresses ?? []
      links[link.index] = link
      ownMACs = Set(links.values.compactMap(\.mac))
    case .linkGone(let index):
      links[index] = nil
      ownMACs = Set(links.values.compactMap(\.mac))
    case .address(let address, let index):
      let place = links[index]?.addresses.firstIndex {
        $0.address == address.address && $0.prefixLength == address.prefixLength
      }
      if let place {
        links[index]?.addresses[place] = address
      } else {
        links[index]?.addresses.append(address)
      }
    case .addressGone(let address, let prefixLength, let index):
      links[index]?.addresses.removeAll { $0.address == address && $0.prefixLength == prefixLength }
    }
  }

  /// The link that has `address`, and how: one that does not have it from Roadstead, where there is such a one; then
  /// that of the lowest index.
  func holder(of address: IPAddress) -> (Link, LinkAddress)? {
    var own: (Link, LinkAddress)?
    for link in all {
      for held in link.addresses where held.address == address {
        if !held.isOfRoadstead { return (link, held) }
        if own == nil { own = (link, held) }
      }
    }
    return own
  }

  /// Why `link` cannot announce addresses of `family`; nil when it can.
  func problem(of link: Link, _ family: IPAddress.Family) -> InterfaceProblem? {
    if link.flags.contains(.loopback) { return .isLoopback }
    if link.master != 0 { return .isEnslaved(to: links[link.master]?.name ?? "interface \(link.master)") }
    if !link.flags.contains(.up) { return .isDown }
    if link.flags.contains(.noARP) { return .hasNoARP }
    // Neighbour discovery is by multicast.
    if family == .v4, !link.flags.contains(.broadcast) { return .hasNoARP }
    guard let mac = link.mac, mac.isHost else { return .hasNoMAC }
    return link.flags.contains(.lowerUp) ? nil : .hasNoCarrier
  }
}

extension Link {
  /// The subnets of `family` that the interface is on: of its addresses, but for those of a host's prefix.
  func subnets(_ family: IPAddress.Family) -> Set<IPPrefix> {
    Set(addresses.compactMap { $0.address.family == family ? $0.subnet : nil })
  }
}

extension LinkAddress {
  /// The subnet that the interface is on by this address; nil for a host's prefix.
  var subnet: IPPrefix? {
    prefixLength < address.family.bitCount ? IPPrefix(address, length: prefixLength) : nil
  }
}
