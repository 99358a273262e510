import Addresses
import Testing

@testable import Announcing

@Suite struct SightingTests {
  private let own: Set = [mac("02:00:00:00:00:0a"), mac("02:00:00:00:00:0b")]
  private let other = mac("02:00:00:00:00:01")
  private let vip = ip("192.0.2.9")
  private let vip6 = ip("2001:db8::9")

  @Test func `every ARP packet claims its sender's address`() throws {
    for packet: ARPPacket in [
      .gratuitousRequest(for: vip, from: other), .gratuitousReply(for: vip, from: other),
      ARPPacket(
        from: other, to: .broadcast, .request, sender: vip, targetMAC: MACAddress(bits: 0), target: ip("192.0.2.1")),
    ] {
      let sighting = try #require(Sighting(packet, own: own))
      #expect(sighting.address == vip)
      #expect(sighting.kind == .claim)
      #expect(sighting.mac == other)
    }
  }

  @Test func `an ARP reply to this host is an answer`() throws {
    for mac in own {
      let reply = ARPPacket(from: other, to: mac, .reply, sender: vip, targetMAC: mac, target: ip("0.0.0.0"))
      #expect(try #require(Sighting(reply, own: own)).kind == .answer)
    }
  }

  @Test func `who asks without an address of its own means to take what it asks for`() throws {
    let sighting = try #require(Sighting(ARPPacket.probe(for: vip, from: other), own: own))
    #expect(sighting.kind == .probe)
    #expect(sighting.address == vip)
    let duplicate = try #require(Sighting(NeighborMessage.duplicateProbe(for: vip6, from: other), own: own))
    #expect(duplicate.kind == .probe)
    #expect(duplicate.address == vip6)
  }

  @Test func `an advertisement is an answer, a solicitation claims its source`() throws {
    let advertisement = NeighborMessage.unsolicitedAdvertisement(for: vip6, from: other)
    #expect(try #require(Sighting(advertisement, own: own)).kind == .answer)
    let asks = NeighborMessage(
      from: other, source: vip6, to: .solicitedNode(of: ip("2001:db8::1")), .solicitation, target: ip("2001:db8::1"),
      linkLayerAddress: other)
    let sighting = try #require(Sighting(asks, own: own))
    #expect(sighting.kind == .claim)
    #expect(sighting.address == vip6)
  }

  @Test func `frames of this host's own are no one else's, on whichever interface they come back`() {
    for mac in own {
      #expect(Sighting(ARPPacket.gratuitousRequest(for: vip, from: mac), own: own) == nil)
      #expect(Sighting(ARPPacket.probe(for: vip, from: mac), own: own) == nil)
      #expect(Sighting(NeighborMessage.unsolicitedAdvertisement(for: vip6, from: mac), own: own) == nil)
      #expect(Sighting(NeighborMessage.duplicateProbe(for: vip6, from: mac), own: own) == nil)
    }
  }

  @Test func `a reply without a sender's address says nothing`() {
    let reply = ARPPacket(
      from: other, to: .broadcast, .reply, sender: ip("0.0.0.0"), targetMAC: .broadcast, target: vip)
    #expect(Sighting(reply, own: own) == nil)
  }
}
