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
  private var saidStates: [IPAddress: [String: String]] = [:]
  private var saidWarnings: Set<String> = []

  /// A line for the log.
  struct Line: Hashable, Sendable {
    let level: Logger.Level
    let text: String
  }

  /// Takes a plan over; returns what is new in it and no announcer would tell: which addresses are not announced, and
  /// why. Addresses with one reason share a line.
  mutating func take(_ plan: AnnouncementPlan) -> [Line] {
    self.plan = plan
    statuses = statuses.filter { plan.scope(of: $0.key) != nil }
    // What was in the way of an address that is not asked for any more is news when it is asked for again.
    saidStates = saidStates.filter { plan.scope(of: $0.key) != nil }
    var said: [IPAddress: String] = [:]
    var lines: [Line] = []
    var missing: [UnannouncedReason: [IPAddress]] = [:]
    for (address, verdict) in plan.verdicts.sorted(by: { $0.key < $1.key }) {
      switch verdict {
      case .announced(_, nil): continue
      case .announced(_, let stays?):
        // The number of connections changes all the time, and is no news.
        said[address] = if case .openConnections = stays { "lingers" } else { "stays" }
        if saidReasons[address] != said[address] { lines.append(Line(level: .notice, text: "\(address) \(stays)")) }
      case .not(let reason):
        said[address] = reason.description
        if saidReasons[address] != said[address] { missing[reason, default: []].append(address) }
      }
    }
    saidReasons = said
    lines += missing.sorted { $0.value[0] < $1.value[0] }.map { reason, addresses in
      Line(level: reason.level, text: "\(Self.list(addresses)) not announced: \(reason)")
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

  /// Takes over what the announcer tells of one address; returns what is new in it.
  mutating func take(_ status: AnnouncementStatus) -> [Line] {
    let (address, interface) = (status.address, status.interface)
    statuses[address, default: [:]][interface] = status.state == .withdrawn ? nil : status
    if statuses[address]?.isEmpty == true { statuses[address] = nil }
    var lines: [Line] = []
    if status.state == .probing, saidStates[address]?[interface] == Self.line(announced: status).text {
      saidStates[address]?[interface] = nil
      let place = interface.isEmpty ? "" : " on \(interface)"
      lines.append(Line(level: .warning, text: "\(address) was lost\(place) and is probed again"))
    } else if let line = Self.line(status), saidStates[address]?[interface] != line.text {
      lines.append(line)
      // A try in between does not make the same obstacle news.
      if status.state != .probing { saidStates[address, default: [:]][interface] = line.text }
    }
    // What is withdrawn may come again, and is news then.
    if status.state == .withdrawn { saidStates[address]?[interface] = nil }
    if saidStates[address]?.isEmpty == true { saidStates[address] = nil }
    for warning in status.warnings where saidWarnings.insert("\(address) \(warning)").inserted {
      lines.append(Line(level: .warning, text: "\(address): \(warning)"))
    }
    return lines
  }

  private static func line(announced status: AnnouncementStatus) -> Line {
    let place = status.interface.isEmpty ? "" : " on \(status.interface)"
    return Line(level: .info, text: "\(status.address) is announced\(place)")
  }

  private static func line(_ status: AnnouncementStatus) -> Line? {
    let place = status.interface.isEmpty ? "" : " on \(status.interface)"
    return switch status.state {
    case .probing: Line(level: .debug, text: "\(status.address) is probed\(place)")
    case .announced: line(announced: status)
    case .waiting(let obstacle):
      Line(level: .warning, text: "\(status.address) is not announced\(place): \(obstacle)")
    case .withdrawn:
      Line(
        level: .info,
        text: "\(status.address) is withdrawn\(status.interface.isEmpty ? "" : " from \(status.interface)")")
    }
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

extension UnannouncedReason {
  /// How loud it is when it is new.
  fileprivate var level: Logger.Level {
    switch self {
    // As asked for, or as it must be.
    case .loopback, .unspecified, .notAsked, .listenAddress: .debug
    case .nodeExcluded, .networkUnavailable, .poolNotSelected, .leftOut: .notice
    case .noReadyEndpoint, .notListening: .info
    case .noAnnouncer: .warning
    }
  }
}
