import Addresses

/// The interfaces of this host and their addresses, as the kernel's messages tell them.
struct LinkTable: Sendable {
  private var links: [CInt: Link] = [:]
  /// The keys of ``links``, ascending.
  private var order: [CInt] = []
  // What is asked of every address whenever anything changes, so that a thousand do not look at one another each time:
  // who has an address, and the subnets of each link.
  private var holdings: [IPAddress: [Holding]] = [:]
  private var subnets: [CInt: Set<IPPrefix>] = [:]
  /// The link-layer addresses of this host: frames from these are no one else's.
  private(set) var ownMACs: Set<MACAddress> = []

  /// An address on a link.
  private struct Holding: Sendable {
    let index: CInt
    var held: LinkAddress
  }

  /// By index.
  var all: [Link] { order.compactMap { links[$0] } }

  subscript(index: CInt) -> Link? { links[index] }

  /// The link of that name; the newest, where a message about an older one is still to come.
  subscript(name: String) -> Link? { links.values.filter { $0.name == name }.max { $0.index < $1.index } }

  /// Takes in what the kernel says. What it says of an address of an unknown link is passed over.
  mutating func apply(_ event: LinkEvent) {
    switch event {
    case .link(var link):
      if let before = links[link.index] {
        link.addresses = before.addresses
      } else {
        link.addresses = []
        order.insert(link.index, at: order.firstIndex { $0 > link.index } ?? order.endIndex)
      }
      links[link.index] = link
      ownMACs = Set(links.values.compactMap(\.mac))
    case .linkGone(let index):
      guard let gone = links.removeValue(forKey: index) else { return }
      order.removeAll { $0 == index }
      subnets[index] = nil
      for held in gone.addresses { forget(held.address, prefixLength: held.prefixLength, on: index) }
      ownMACs = Set(links.values.compactMap(\.mac))
    case .address(let address, let index):
      guard links[index] != nil else { return }
      let place = links[index]?.addresses.firstIndex {
        $0.address == address.address && $0.prefixLength == address.prefixLength
      }
      if let place {
        links[index]?.addresses[place] = address
        forget(address.address, prefixLength: address.prefixLength, on: index)
      } else {
        links[index]?.addresses.append(address)
        if let subnet = address.subnet { subnets[index, default: []].insert(subnet) }
      }
      holdings[address.address, default: []].append(Holding(index: index, held: address))
    case .addressGone(let address, let prefixLength, let index):
      links[index]?.addresses.removeAll { $0.address == address && $0.prefixLength == prefixLength }
      forget(address, prefixLength: prefixLength, on: index)
      // Another address may be in the same subnet.
      if prefixLength < address.family.bitCount {
        subnets[index] = links[index].map { Set($0.addresses.compactMap(\.subnet)) }
      }
    }
  }

  private mutating func forget(_ address: IPAddress, prefixLength: Int, on index: CInt) {
    holdings[address]?.removeAll { $0.index == index && $0.held.prefixLength == prefixLength }
    if holdings[address]?.isEmpty == true { holdings[address] = nil }
  }

  /// How the link of that index has `address`; by several prefixes it may do so several times.
  func holdings(of address: IPAddress, on index: CInt) -> [LinkAddress] {
    (holdings[address] ?? []).filter { $0.index == index }.map(\.held)
  }

  /// The link that has `address`, and how: one that does not have it from Roadstead, where there is such a one; then
  /// that of the lowest index.
  func holder(of address: IPAddress) -> (Link, LinkAddress)? {
    guard let holdings = holdings[address] else { return nil }
    let first = holdings.min { ($0.held.isOfRoadstead ? 1 : 0, $0.index) < ($1.held.isOfRoadstead ? 1 : 0, $1.index) }
    return first.flatMap { first in links[first.index].map { ($0, first.held) } }
  }

  /// The subnets of `family` that the link is on: of its addresses, but for those of a host's prefix.
  func subnets(of link: Link, _ family: IPAddress.Family) -> Set<IPPrefix> {
    subnets[link.index]?.filter { $0.network.family == family } ?? []
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

extension LinkAddress {
  /// The subnet that the interface is on by this address; nil for a host's prefix.
  var subnet: IPPrefix? {
    prefixLength < address.family.bitCount ? IPPrefix(address, length: prefixLength) : nil
  }
}
