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
  func fill(
    _ address: inout AdminState.Address, of ip: IPAddress, announcer: String, _ interfaces: InterfaceAddresses
  ) {
    interfaces.fill(&address, of: ip)
    switch plan.verdicts[ip] {
    case nil: address.notAnnounced = "not looked at yet"
    case .not(let reason): address.notAnnounced = reason.description
    case .announced(let scope, let stays):
      address.stillAnnounced = stays?.description
      if scope == .fitting, !interfaces.haveSubnet(of: ip) { address.remark = "no interface's subnet holds it" }
      let statuses = (statuses[ip] ?? [:]).values.sorted { $0.interface < $1.interface }
      address.announcements = statuses.map(AdminState.Announcement.init)
      let places = statuses.filter(\.state.isAnnounced).map(\.interface)
      guard places.isEmpty else {
        address.announcedBy = "\(announcer) on \(places.joined(separator: ", "))"
        return
      }
      let reasons = statuses.map { status in
        switch status.state {
        case .waiting(let obstacle): "\(obstacle)\(status.place(of: obstacle))"
        case .probing, .announced, .withdrawn: "it is probed\(status.place)"
        }
      }
      address.notAnnounced = reasons.isEmpty ? "\(announcer) has not begun yet" : reasons.joined(separator: "; ")
    }
  }

  /// The announcer, with the addresses that are in `plan` although no Service of `claimed` has them.
  ///
  /// `former`: which Services have lost an address that lingers.
  func state(
    name: String, interfaces: InterfaceAddresses, former: [IPAddress: Set<String>], claimed: (IPAddress) -> Bool
  ) -> AdminState.Announcer {
    let lingering = plan.announcements.map(\.address).filter { !claimed($0) }
    return AdminState.Announcer(
      name: name, drops: drops,
      lingering: lingering.map { ip in
        var address = AdminState.Address(ip.description)
        address.formerServices = (former[ip] ?? []).sorted()
        fill(&address, of: ip, announcer: name, interfaces)
        return address
      })
  }
}

extension AdminState.Announcement {
  init(_ status: AnnouncementStatus) {
    let counters = status.counters
    self.init(
      interface: status.interface.isEmpty ? nil : status.interface, state: "", probes: counters.probes,
      gratuitous: counters.gratuitous, conflicts: counters.conflicts, renewals: counters.renewals,
      warnings: status.warnings, rival: status.rival?.description)
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
