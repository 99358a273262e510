import Addresses

/// What ``Layer2Speaker`` knows of one address: where it is claimed, why not elsewhere, and what was said about it.
struct AnnouncedAddress {
  /// Nil once it is not wanted any more.
  var announcement: Announcement?
  /// By interface index.
  var claims: [CInt: AddressClaim] = [:]
  /// The names of the interfaces of ``claims``, which outlive the interfaces.
  var names: [CInt: String] = [:]
  var refusals: [InterfaceChoice.Refusal] = []
  /// By interface index.
  var warnings: [CInt: [String]] = [:]
  /// What was last told, by interface name; nothing once it was told that it is withdrawn.
  private var told: [String: Told] = [:]

  private struct Told: Hashable {
    let state: AnnouncementStatus.State
    let warnings: [String]
    let defences: UInt64

    init(_ status: AnnouncementStatus) {
      state = status.state
      warnings = status.warnings
      defences = status.counters.defences
    }
  }

  init(_ announcement: Announcement) { self.announcement = announcement }

  /// The earliest of its claims' deadlines.
  var deadline: Double? {
    var first: Double?
    for claim in claims.values {
      if let deadline = claim.deadline, deadline < first ?? .infinity { first = deadline }
    }
    return first
  }

  /// Where it stands, by interface index, then where it cannot be.
  func statuses(of address: IPAddress) -> [AnnouncementStatus] {
    let claimed = claims.sorted { $0.key < $1.key }.map { index, claim in
      AnnouncementStatus(
        address, interface: names[index] ?? "", state: claim.status, counters: claim.counters,
        warnings: (warnings[index] ?? []) + (claim.rival.map { ["\($0) has it as well"] } ?? []), rival: claim.claimant)
    }
    let refused = refusals.map {
      AnnouncementStatus(address, interface: $0.interface, state: .waiting($0.obstacle))
    }
    return claimed + refused
  }

  /// The statuses that say something new: another state, warning or defence than was told last. They count as told.
  mutating func news(of address: IPAddress) -> [AnnouncementStatus] {
    let current = statuses(of: address)
    let gone = told.keys.filter { name in !current.contains { $0.interface == name } }.sorted()
    var news = gone.compactMap { name in
      // What was refused and is no longer asked for is no event.
      if case .waiting? = told[name]?.state { return nil as AnnouncementStatus? }
      return AnnouncementStatus(address, interface: name, state: .withdrawn)
    }
    news += current.filter { told[$0.interface] != Told($0) }
    let standing = current.filter { $0.state != .withdrawn }
    told = Dictionary(standing.map { ($0.interface, Told($0)) }, uniquingKeysWith: { first, _ in first })
    return news
  }
}
