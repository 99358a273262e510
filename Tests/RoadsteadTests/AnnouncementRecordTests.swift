import Addresses
import Announcing
import Testing

@testable import roadstead

/// Which lines the log gets of what the announcer tells.
@Suite struct AnnouncementRecordTests {
  private let address = IPAddress("192.0.2.9")!

  private func lines(_ state: AnnouncementStatus.State, _ record: inout AnnouncementRecord) -> [String] {
    record.take(AnnouncementStatus(address, interface: "eth0", state: state)).map { "\($0.level): \($0.text)" }
  }

  @Test func `an address that the host lost and took again is logged`() {
    var record = AnnouncementRecord()
    #expect(lines(.probing, &record) == ["debug: 192.0.2.9 is probed on eth0"])
    #expect(lines(.announced(since: 1), &record) == ["info: 192.0.2.9 is announced on eth0"])
    #expect(lines(.probing, &record) == ["warning: 192.0.2.9 was lost on eth0 and is probed again"])
    #expect(lines(.announced(since: 9), &record) == ["info: 192.0.2.9 is announced on eth0"])
    #expect(lines(.announced(since: 9), &record) == [])
  }

  @Test func `what was in the way is logged again when the address is asked for again`() {
    let obstacle = AnnouncementStatus.State.waiting(.noSuchInterface("eth0"))
    let line = "warning: 192.0.2.9 is not announced on eth0: interface eth0 does not exist"
    var record = AnnouncementRecord()
    let asked = AnnouncementPlan(verdicts: [address: .announced(.fitting)])
    _ = record.take(asked)
    #expect(lines(obstacle, &record) == [line])
    _ = record.take(asked)
    #expect(lines(obstacle, &record) == [])
    _ = record.take(AnnouncementPlan())
    _ = record.take(asked)
    #expect(lines(obstacle, &record) == [line])
  }
}
