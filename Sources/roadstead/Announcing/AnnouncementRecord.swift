import Addresses
import Announcing
import Logging

/// What was decided of addresses, what the announcer told of them, and what of both has been said. A plain value.
struct AnnouncementRecord: Sendable {
  private(set) var plan = AnnouncementPlan()
  /// By address and interface, as the announcer told last.
  private(set) var statuses: [IPAddress: [String: AnnouncementStatus]] = [:]
  /// What the announcer has heard and dropped.
  private(set) var drops: [String: UInt64] = [:]
  private var saidReasons: [IPAddress: String] = [:]
  /// By address and interface.
  private var told: [IPAddress: [String: Told]] = [:]
  private var saidWarnings: Set<String> = []
  /// When a conflict was said of an address, in seconds of a steady clock.
  private var saidConflicts: [IPAddress: Double] = [:]
  /// Once is enough: what is missing is missing for every address.
  private var hasSaidNoAnnouncer = false

  /// The least seconds from one line about conflicts over an address to the next.
  private static let conflictSeconds = 60.0

  /// A line for the log.
  struct Line: Hashable, Sendable {
    let level: Logger.Level
    let text: String
  }

  /// What the announcer told of one address on one interface.
  private struct Told {
    var state: AnnouncementStatus.State
    /// The last that was worth a line; nil where it may be worth one again.
    var said: AnnouncementStatus.State?
    var rival: MACAddress?
    var conflicts: UInt64 = 0
  }

  /// Takes a plan over; returns what is new in it and no announcer would tell: which addresses are not announced, and
  /// why. Addresses with one reason share a line.
  mutating func take(_ plan: AnnouncementPlan) -> [Line] {
    self.plan = plan
    statuses = statuses.filter { plan.scope(of: $0.key) != nil }
    // What was in the way of an address that is not asked for any more is news when it is asked for again. That one is
    // withdrawn is still to be told.
    for address in told.keys where plan.scope(of: address) == nil {
      told[address] = told[address]?.filter { $0.value.state.isAnnounced }
      forgetIfGone(address)
    }
    var said: [IPAddress: String] = [:]
    var lines: [Line] = []
    var missing: [UnannouncedReason: [IPAddress]] = [:]
    for (address, verdict) in plan.verdicts.sorted(by: { $0.key < $1.key }) {
      switch verdict {
      case .announced(_, nil): continue
      case .announced(_, let stays?):
        // The number of connections changes all the time, and is no news.
        said[address] =
          switch stays {
          case .noReadyEndpoint: "stays"
          case .openConnections: "lingers"
          case .draining: "drains"
          }
        if saidReasons[address] != said[address] {
          lines.append(Line(level: stays.level, text: "\(address) \(stays)"))
        }
      case .not(let reason):
        said[address] = reason.description
        if saidReasons[address] != said[address] { missing[reason, default: []].append(address) }
      }
    }
    saidReasons = said
    for (reason, addresses) in missing.sorted(by: { $0.value[0] < $1.value[0] }) {
      var level = reason.level
      if case .noAnnouncer = reason {
        if hasSaidNoAnnouncer { level = .debug }
        hasSaidNoAnnouncer = true
      }
      lines.append(Line(level: level, text: "\(Self.list(addresses)) not announced: \(reason)"))
    }
    return lines
  }

  /// `10.101.0.50 is`, `10.101.0.50, 10.101.0.51 and 7 more are`.
  private static func list(_ addresses: [IPAddress]) -> String {
    let shown = addresses.count > 4 ? 3 : addresses.count
    let more = addresses.count > shown ? " and \(addresses.count - shown) more" : ""
    let listed = addresses.prefix(shown).map(\.description).joined(separator: ", ")
    return "\(listed)\(more) \(addresses.count == 1 ? "is" : "are")"
  }

  /// Takes over what the announcer tells of one address at `now`, in seconds of a steady clock; returns what is new in it.
  mutating func take(_ status: AnnouncementStatus, now: Double) -> [Line] {
    let (address, interface) = (status.address, status.interface)
    statuses[address, default: [:]][interface] = status.state == .withdrawn ? nil : status
    if statuses[address]?.isEmpty == true { statuses[address] = nil }
    let before = told[address]?[interface]
    var after = Told(
      state: status.state, said: before?.said, rival: status.rival, conflicts: status.counters.conflicts)
    var lines: [Line] = []
    if before?.said != status.state.withoutTime { lines.append(Self.line(status, after: before?.state)) }
    switch status.state {
    // A try in between does not make the same obstacle news; that the address comes back is.
    case .probing: if before?.state.isAnnounced == true { after.said = nil }
    case .announced, .waiting, .withdrawn: after.said = status.state.withoutTime
    }
    if let line = conflictLine(status, after: before, now: now) { lines.append(line) }
    // What is withdrawn may come again, and is news then.
    told[address, default: [:]][interface] = status.state == .withdrawn ? nil : after
    forgetIfGone(address)
    for warning in status.warnings where saidWarnings.insert("\(address) \(warning)").inserted {
      lines.append(Line(level: .warning, text: "\(address): \(warning)"))
    }
    return lines
  }

  private mutating func forgetIfGone(_ address: IPAddress) {
    guard told[address]?.isEmpty == true else { return }
    told[address] = nil
    saidConflicts[address] = nil
  }

  private static func line(_ status: AnnouncementStatus, after before: AnnouncementStatus.State?) -> Line {
    let (address, interface) = (status.address, status.interface)
    let wasAnnounced = before?.isAnnounced == true
    return switch status.state {
    case .probing where wasAnnounced:
      Line(level: .warning, text: "\(address) has gone from \(interface); probing for it again")
    case .probing: Line(level: .debug, text: "\(address) is probed\(status.place)")
    case .announced: Line(level: .info, text: "\(address) is announced\(status.place)")
    case .waiting(.addressInUse(by: let rival)) where wasAnnounced:
      Line(level: .warning, text: "\(address) is taken off \(interface): \(rival) has it and answers for it")
    case .waiting(let obstacle):
      Line(level: obstacle.level, text: "\(address) is not announced\(status.place(of: obstacle)): \(obstacle)")
    // What was only waited for, or was said to be gone already, is no event.
    case .withdrawn where !wasAnnounced:
      Line(level: .debug, text: "\(address) is no longer wanted\(status.place)")
    case .withdrawn:
      Line(level: .info, text: "\(address) is withdrawn\(interface.isEmpty ? "" : " from \(interface)")")
    }
  }

  /// That someone else claims what is announced, where that is news and was not said a short time ago.
  private mutating func conflictLine(_ status: AnnouncementStatus, after before: Told?, now: Double) -> Line? {
    // What was counted while it was waited for is told otherwise.
    guard let rival = status.rival, let before, before.state.isAnnounced, status.state.isAnnounced else { return nil }
    guard rival != before.rival || status.counters.conflicts != before.conflicts else { return nil }
    let address = status.address
    if let last = saidConflicts[address], now - last < Self.conflictSeconds { return nil }
    saidConflicts[address] = now
    return Line(level: .warning, text: "\(address): \(rival) claims it\(status.place), too; defended")
  }

  /// Takes over everything that the announcer knows; says nothing of it.
  mutating func refresh(_ all: [IPAddress: [AnnouncementStatus]], drops: [String: UInt64]) {
    statuses = all.mapValues { statuses in
      let present = statuses.filter { $0.state != .withdrawn }
      return Dictionary(present.map { ($0.interface, $0) }, uniquingKeysWith: { _, last in last })
    }
    self.drops = drops
  }
}

// How loud each is when it is new. What the user is to act on is a notice; conflicts, a capability that is missing and
// what the kernel refuses are warnings.

extension UnannouncedReason {
  fileprivate var level: Logger.Level {
    switch self {
    // As asked for, or as it must be.
    case .loopback, .unspecified, .notAsked, .ownAddress, .draining, .standby: .debug
    case .listenAddress, .nodeExcluded, .networkUnavailable, .poolNotSelected, .leftOut: .notice
    case .noReadyEndpoint, .notListening: .info
    case .noAnnouncer: .warning
    }
  }
}

extension AnnouncementObstacle {
  fileprivate var level: Logger.Level {
    switch self {
    // As somebody meant it to be.
    case .onHostAlready: .info
    case .noSuchInterface, .unusableInterface, .noFittingInterface: .notice
    case .addressInUse, .missingCapability, .system: .warning
    }
  }
}

extension AnnouncementPlan.Staying {
  fileprivate var level: Logger.Level {
    switch self {
    // A second is no news, and that the process drains was said of all.
    case .openConnections(0), .draining: .debug
    case .noReadyEndpoint, .openConnections: .notice
    }
  }
}

extension AnnouncementStatus {
  /// ` on eth0`; nothing where it is on none.
  var place: String { interface.isEmpty ? "" : " on \(interface)" }

  /// The same, but nothing where the words of `obstacle` say it.
  func place(of obstacle: AnnouncementObstacle) -> String { obstacle.interface == interface ? "" : place }
}

extension AnnouncementStatus.State {
  var isAnnounced: Bool {
    if case .announced = self { true } else { false }
  }

  /// Since when is told elsewhere.
  fileprivate var withoutTime: Self { isAnnounced ? .announced(since: 0) : self }
}
