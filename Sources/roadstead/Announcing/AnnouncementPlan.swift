import Addresses
import Announcing

/// What becomes of each address: announced, on which interfaces, or not, and why. A plain value.
struct AnnouncementPlan: Hashable, Sendable {
  /// What is decided of one address.
  enum Verdict: Hashable, Sendable {
    /// It is to be announced; `stays` where only because it was before.
    case announced(InterfaceScope, stays: Staying? = nil)
    case not(UnannouncedReason)
  }

  /// Why an address is announced that would not be if it were new.
  enum Staying: Hashable, Sendable {
    /// No other instance could serve it either, and a reset is a better answer than none.
    case noReadyEndpoint
    /// No Service that these connections belong to has it any more; none may be left for the last second.
    case openConnections(Int)
    /// The process ends when these connections have.
    case draining(Int)
  }

  var verdicts: [IPAddress: Verdict] = [:]

  /// What an ``Announcer`` is given, by address.
  var announcements: [Announcement] {
    verdicts.compactMap { address, verdict in
      guard case .announced(let interfaces, _) = verdict else { return nil }
      return Announcement(address, on: interfaces)
    }.sorted { $0.address < $1.address }
  }

  /// What stays of it while the process ends: the addresses that are announced and in `open`, with how many connections.
  func drained(to open: [IPAddress: Int]) -> AnnouncementPlan {
    var left = self
    for (address, verdict) in verdicts {
      guard case .announced(let interfaces, _) = verdict else { continue }
      left.verdicts[address] = open[address].map { .announced(interfaces, stays: .draining($0)) } ?? .not(.draining)
    }
    return left
  }

  /// The interfaces of `address` when it is to be announced.
  func scope(of address: IPAddress) -> InterfaceScope? {
    guard case .announced(let interfaces, _)? = verdicts[address] else { return nil }
    return interfaces
  }
}

extension AnnouncementPlan.Staying: CustomStringConvertible {
  /// Continues `10.101.0.50 `.
  var description: String {
    switch self {
    case .noReadyEndpoint: "stays announced without a ready endpoint: new connections are reset"
    case .openConnections(0): "stays a second longer, for the last bytes of connections that have ended"
    case .openConnections(1): "stays until 1 connection has ended"
    case .openConnections(let count): "stays until \(count) connections have ended"
    case .draining(let count): "draining: \(Self.openConnections(count))"
    }
  }
}
