import Addresses
import Announcing
import Testing

@testable import roadstead

/// What the log says of announcing, and how loud.
@Suite struct AnnouncementRecordTests {
  private let address = IPAddress(v4: 0x0A65_0032)
  private let rival = MACAddress(bits: 0x0200_0000_0007)
  private var name: String { "\(address)" }

  @Test("a conflict over an announced address is a line, and at most one in a minute")
  func conflicts() {
    var record = AnnouncementRecord()
    var conflicts: UInt64 = 0
    func announced(by rival: MACAddress?, now: Double) -> [String] {
      var counters = AnnouncementStatus.Counters()
      counters.conflicts = conflicts
      let status = AnnouncementStatus(
        address, interface: "eth0", state: .announced(since: 1), counters: counters, rival: rival)
      return record.take(status, now: now).map { "\($0.level): \($0.text)" }
    }
    let line = "warning: \(name): \(rival) claims it on eth0, too; defended"
    #expect(announced(by: nil, now: 0) == ["info: \(name) is announced on eth0"])
    conflicts = 1
    #expect(announced(by: rival, now: 10) == [line])
    #expect(announced(by: rival, now: 80) == [], "nothing new")
    conflicts = 5
    #expect(announced(by: rival, now: 80) == [line])
    conflicts = 9
    #expect(announced(by: rival, now: 139) == [])
    conflicts = 10
    #expect(announced(by: rival, now: 141) == [line])
  }

  @Test("conflicts that were seen while the address was waited for are no news once it is announced")
  func oldConflicts() {
    var record = AnnouncementRecord()
    var status = AnnouncementStatus(
      address, interface: "eth0", state: .waiting(.addressInUse(by: rival)), rival: rival)
    _ = record.take(status, now: 0)
    status.state = .announced(since: 1)
    status.counters.conflicts = 7
    #expect(record.take(status, now: 1).map(\.text) == ["\(name) is announced on eth0"])
  }

  @Test("what is lost is said as a loss, and that it is back is news")
  func losses() {
    var record = AnnouncementRecord()
    func told(_ state: AnnouncementStatus.State) -> [String] {
      record.take(AnnouncementStatus(address, interface: "eth0", state: state), now: 0)
        .filter { $0.level > .debug }.map { "\($0.level): \($0.text)" }
    }
    let back = ["info: \(name) is announced on eth0"]
    #expect(told(.probing) == [])
    #expect(told(.announced(since: 1)) == back)
    #expect(told(.probing) == ["warning: \(name) has gone from eth0; probing for it again"])
    #expect(told(.announced(since: 9)) == back)
    let inUse = AnnouncementStatus.State.waiting(.addressInUse(by: rival))
    #expect(told(inUse) == ["warning: \(name) is taken off eth0: \(rival) has it and answers for it"])
    // Looked into every few seconds.
    #expect(told(.probing) + told(inUse) == [])
    #expect(told(.announced(since: 20)) == back)
    #expect(told(.withdrawn) == ["info: \(name) is withdrawn from eth0"])
    #expect(told(.withdrawn) == [])
    #expect(told(.waiting(.noFittingInterface)).count == 1)
    #expect(told(.withdrawn) == [])
    #expect(told(.announced(since: 30)) == back)
  }

  @Test("what was in the way is news again when the address is asked for again; what goes is withdrawn once")
  func askedForAgain() {
    var record = AnnouncementRecord()
    let asked = AnnouncementPlan(verdicts: [address: .announced(.fitting)])
    func told(_ state: AnnouncementStatus.State) -> [String] {
      record.take(AnnouncementStatus(address, interface: "eth0", state: state), now: 0).map(\.text)
    }
    let obstacle = AnnouncementStatus.State.waiting(.noSuchInterface("eth0"))
    let line = "\(name) is not announced: interface eth0 does not exist"
    _ = record.take(asked)
    #expect(told(obstacle) == [line])
    _ = record.take(asked)
    #expect(told(obstacle) == [])
    _ = record.take(AnnouncementPlan())
    _ = record.take(asked)
    #expect(told(obstacle) == [line])
    _ = told(.announced(since: 1))
    _ = record.take(AnnouncementPlan())
    #expect(told(.withdrawn) == ["\(name) is withdrawn from eth0"])
  }

  @Test(
    "why an interface does not announce is as loud as it concerns the user, and names the interface once",
    arguments: [
      (.onHostAlready(interface: "eth0"), "info", ": already on interface eth0, not put there by Roadstead"),
      (.noSuchInterface("eth0"), "notice", ": interface eth0 does not exist"),
      (.unusableInterface("eth0", .isDown), "notice", ": interface eth0 is down"),
      (.noFittingInterface, "notice", " on eth0: no interface is fit for it"),
      (.missingCapability("CAP_NET_RAW"), "warning", " on eth0: needs CAP_NET_RAW"),
      (.system("No buffer space"), "warning", " on eth0: No buffer space"),
      (
        .addressInUse(by: MACAddress(bits: 0x0200_0000_0007)), "warning",
        " on eth0: address already in use by 02:00:00:00:00:07"
      ),
    ] as [(AnnouncementObstacle, String, String)])
  func obstacles(obstacle: AnnouncementObstacle, level: String, words: String) {
    var record = AnnouncementRecord()
    let lines = record.take(AnnouncementStatus(address, interface: "eth0", state: .waiting(obstacle)), now: 0)
    #expect(lines.map { "\($0.level): \($0.text)" } == ["\(level): \(name) is not announced\(words)"])
  }

  @Test("that there is nothing to announce with is warned of once")
  func noAnnouncer() {
    var record = AnnouncementRecord()
    var plan = AnnouncementPlan()
    plan.verdicts[address] = .not(.noAnnouncer("announcing needs this"))
    #expect(record.take(plan).map(\.level) == [.warning])
    plan.verdicts[IPAddress(v4: 0x0A65_0033)] = .not(.noAnnouncer("announcing needs this"))
    #expect(record.take(plan).map(\.level) == [.debug])
  }

  @Test("that addresses of --listen are not announced is a notice, but not of a host's own")
  func listen() {
    var record = AnnouncementRecord()
    var plan = AnnouncementPlan()
    for (last, reason) in [UnannouncedReason.listenAddress, .ownAddress, .loopback, .unspecified].enumerated() {
      plan.verdicts[IPAddress(v4: 0x0A65_0046 + UInt32(last))] = .not(reason)
    }
    #expect(
      record.take(plan).filter { $0.level > .debug } == [
        AnnouncementRecord.Line(
          level: .notice,
          text: "10.101.0.70 is not announced: addresses of --listen are announced with --announce layer2")
      ])
  }
}
