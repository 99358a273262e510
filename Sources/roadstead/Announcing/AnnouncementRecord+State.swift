import Addresses
import Admin
import Announcing

extension AnnouncementPlan.Verdict {
  /// Tells what is only planned, on `address`.
  func fill(_ address: inout AdminState.Address) {
    switch self {
    case .announced(.fitting, let stays):
      address.announcedBy = "layer2 on the interfaces that fit"
      address.stillAnnounced = stays?.description
    case .announced(.named(let names), let stays):
      address.announcedBy = "layer2 on \(names.sorted().joined(separator: ", "))"
      address.stillAnnounced = stays?.description
    case .not(let reason): address.notAnnounced = reason.description
    }
  }
}

extension AnnouncementRecord {
  /// Tells of `ip`, on `address`, where `announcer` announces it, or why it does not.
  func fill(_ address: inout AdminState.Address, of ip: IPAddress, announcer: String) {
    switch plan.verdicts[ip] {
    case nil: address.notAnnounced = "not looked at yet"
    case .not(let reason): address.notAnnounced = reason.description
    case .announced(_, let stays):
      address.stillAnnounced = stays?.description
      let statuses = (statuses[ip] ?? [:]).values.sorted { $0.interface < $1.interface }
      address.announcements = statuses.map(AdminState.Announcement.init)
      let interfaces = statuses.filter(\.isAnnounced).map(\.interface)
      guard interfaces.isEmpty else {
        address.announcedBy = "\(announcer) on \(interfaces.joined(separator: ", "))"
        return
      }
      let reasons = statuses.map { status in
        let place = status.interface.isEmpty ? "" : " on \(status.interface)"
        return switch status.state {
        case .waiting(let obstacle): "\(obstacle)\(place)"
        case .probing, .announced, .withdrawn: "it is probed\(place)"
        }
      }
      address.notAnnounced = reasons.isEmpty ? "\(announcer) has not begun yet" : reasons.joined(separator: "; ")
    }
  }

  /// The announcer, with the addresses that are in `plan` although no Service of `claimed` has them.
  func state(name: String, claimed: (IPAddress) -> Bool) -> AdminState.Announcer {
    let lingering = plan.announcements.map(\.address).filter { !claimed($0) }
    return AdminState.Announcer(
      name: name, drops: drops,
      lingering: lingering.map { ip in
        var address = AdminState.Address(ip.description)
        fill(&address, of: ip, announcer: name)
        return address
      })
  }
}

extension AnnouncementStatus {
  var isAnnounced: Bool {
    if case .announced = state { true } else { false }
  }
}

extension AdminState.Announcement {
  init(_ status: AnnouncementStatus) {
    let counters = status.counters
    self.init(
      interface: status.interface.isEmpty ? nil : status.interface, state: "", probes: counters.probes,
      gratuitous: counters.gratuitous, conflicts: counters.conflicts, renewals: counters.renewals,
      warnings: status.warnings)
    switch status.state {
    case .probing: state = "probing"
    case .announced(let second):
      state = "announced"
      since = RFC3339.text(unixSeconds: second)
    case .waiting(let obstacle):
      state = "waiting"
      reason = obstacle.description
    case .withdrawn: state = "withdrawn"
    }
  }
}
