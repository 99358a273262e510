import Addresses
import Testing

@testable import roadstead

/// How long an address stays that a Service has lost.
@Suite struct LingeringAddressesTests {
  private let address = IPAddress(v4: 0x0A65_0032)

  @Test("it lingers until no connection has been open for a while")
  func lingers() {
    var lingering = LingeringAddresses()
    lingering.update(holders: [address: ["default/a"]]) { _ in true }
    #expect(lingering.isEmpty)
    lingering.update(holders: [:]) { _ in true }
    #expect(lingering.asked == [address: ["default/a"]])
    lingering.count([address: 2], now: 0)
    lingering.count([:], now: 5)
    #expect(lingering.open == [address: 0])
    lingering.count([address: 1], now: 5.5)
    lingering.count([:], now: 6)
    lingering.count([:], now: 6.5)
    #expect(!lingering.isEmpty)
    lingering.count([:], now: 7)
    #expect(lingering.isEmpty)
  }

  @Test("one without a connection goes at once; where one may just have ended, a moment later")
  func never() {
    var lingering = LingeringAddresses()
    for (connected, isEmpty) in [(Set<String>(), true), (["default/b"], true), (["default/a"], false)] {
      lingering.update(holders: [address: ["default/a"]]) { _ in true }
      lingering.update(holders: [:], connected: connected) { _ in true }
      lingering.count([:], now: 1)
      #expect(lingering.isEmpty == isEmpty)
    }
    lingering.count([:], now: 2)
    #expect(lingering.isEmpty)
  }

  @Test("one that was not announced does not linger, nor one that its Service has again")
  func doesNot() {
    var lingering = LingeringAddresses()
    lingering.update(holders: [address: ["default/a"]]) { _ in false }
    lingering.update(holders: [:]) { _ in false }
    #expect(lingering.isEmpty)
    lingering.update(holders: [address: ["default/a"]]) { _ in true }
    lingering.update(holders: [address: ["default/b"]]) { _ in true }
    #expect(lingering.asked == [address: ["default/a"]])
    lingering.update(holders: [address: ["default/a"]]) { _ in true }
    #expect(lingering.asked == [address: ["default/b"]])
    lingering.update(holders: [address: ["default/a", "default/b"]]) { _ in true }
    #expect(lingering.isEmpty)
  }
}
