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
  /// The states last told, by interface name.
  private var told: [String: AnnouncementStatus.State] = [:]

  init(_ announcement: Announcement) { self.announcement = announcement }

  /// The earliest of its claims' deadlines.
  var deadline: Double? { claims.values.compactMap(\.deadline).min() }

  /// Where it stands, by interface index, then where it cannot be.
  func statuses(of address: IPAddress) -> [AnnouncementStatus] {
    let claimed = claims.sorted { $0.key < $1.key }.map { index, claim in
      AnnouncementStatus(
        address, interface: names[index] ?? "", state: claim.status, counters: claim.counters,
        warnings: (warnings[index] ?? []) + (claim.rival.map { ["\($0) has it as well"] } ?? []))
    }
    let refused = refusals.map {
      AnnouncementStatus(address, interface: $0.interface, state: .waiting($0.obstacle))
    }
    return claimed + refused
  }

  /// The statuses that are others than those last told, which these are from now on.
  mutating func news(of address: IPAddress) -> [AnnouncementStatus] {
    let current = statuses(of: address)
    let gone = told.keys.filter { name in !current.contains { $0.interface == name } }.sorted()
    var news = gone.compactMap { name in
      // What was refused and is no longer asked for is no event.
      if case .waiting? = told[name] { return nil as AnnouncementStatus? }
      return AnnouncementStatus(address, interface: name, state: .withdrawn)
    }
    news += current.filter { told[$0.interface] != $0.state }
    told = Dictionary(current.map { ($0.interface, $0.state) }, uniquingKeysWith: { first, _ in first })
    return news
  }
}
