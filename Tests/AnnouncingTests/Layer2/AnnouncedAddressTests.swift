import Addresses
import Testing

@testable import Announcing

/// What is said of an address as it changes, and what is not said twice.
@Suite struct AnnouncedAddressTests {
  private let address = ip("192.0.2.9")

  private func handle(_ event: AddressClaim.Event, _ entry: inout AnnouncedAddress) {
    var random = SystemRandomNumberGenerator()
    var actions: [AddressClaim.Action] = []
    entry.claims[2]?.handle(event, now: 100, unixTime: 7, using: &random, actions: &actions)
  }

  private func announced() -> AnnouncedAddress {
    var entry = AnnouncedAddress(Announcement(address))
    entry.claims[2] = AddressClaim(address, mac: mac("02:00:00:00:00:02"))
    entry.names[2] = "eth0"
    handle(.start(adopting: true), &entry)
    return entry
  }

  @Test func `that an address is withdrawn is told once`() {
    var entry = announced()
    #expect(entry.news(of: address).map(\.state) == [.announced(since: 7)])
    #expect(entry.news(of: address) == [])
    handle(.withdraw, &entry)
    #expect(entry.news(of: address).map(\.state) == [.withdrawn])
    entry.claims[2] = nil
    #expect(entry.news(of: address) == [])
  }

  @Test func `an address whose claim has gone without a word is withdrawn`() {
    var entry = announced()
    _ = entry.news(of: address)
    entry.claims[2] = nil
    #expect(entry.news(of: address).map(\.state) == [.withdrawn])
    #expect(entry.news(of: address) == [])
  }

  @Test func `a warning that comes later is told`() {
    var entry = announced()
    _ = entry.news(of: address)
    entry.warnings[2] = ["arp_ignore of eth0 is 3, not 1"]
    #expect(entry.news(of: address).map(\.warnings) == [["arp_ignore of eth0 is 3, not 1"]])
    #expect(entry.news(of: address) == [])
  }
}
