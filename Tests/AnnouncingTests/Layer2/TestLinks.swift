import Addresses

@testable import Announcing

/// A link in order, with addresses as `192.0.2.1/24`; its MAC ends in its index.
func testLink(_ index: CInt, _ name: String, _ addresses: String...) -> Link {
  var link = Link(
    index: index, name: name, flags: [.up, .broadcast, .lowerUp],
    mac: MACAddress(bits: 0x0200_0000_0000 | UInt64(index)),
    master: 0)
  link.addresses = addresses.map {
    let parts = $0.split(separator: "/")
    return LinkAddress(address: ip(String(parts[0])), prefixLength: Int(parts[1])!, flags: [])
  }
  return link
}

extension LinkTable {
  init(_ links: Link...) {
    self.init()
    for link in links { set(link) }
  }

  /// Makes `link` and its addresses known.
  mutating func set(_ link: Link) {
    apply(.link(link))
    for address in link.addresses { apply(.address(address, index: link.index)) }
  }
}

extension Link {
  func with(_ change: (inout Link) -> Void) -> Link {
    var link = self
    change(&link)
    return link
  }
}
