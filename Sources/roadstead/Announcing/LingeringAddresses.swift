import Addresses

/// Announced addresses that a Service lost while its connections may be open: they stay until those have ended.
///
/// Pure: connections are counted by whoever asks, time is an argument in seconds of a steady clock.
struct LingeringAddresses: Sendable {
  private struct Entry {
    /// Who lost it.
    var services: Set<String>
    /// Whether one of its connections may have ended just now.
    var hadConnections = false
    var open = 0
    var emptySince: Double?
  }

  /// How long an address stays after its last connection, whose last bytes the kernel may still have to send.
  static let rest = 0.9

  private var entries: [IPAddress: Entry] = [:]
  private var holders: [IPAddress: Set<String>] = [:]

  var isEmpty: Bool { entries.isEmpty }

  /// Whose connections are to be counted.
  var asked: [IPAddress: Set<String>] { entries.mapValues(\.services) }

  /// What is open on each, for the ``AnnouncementPlanner``.
  var open: [IPAddress: Int] { entries.mapValues(\.open) }

  /// Takes over who has which address now; those of `announced` that a Service lost begin to linger.
  ///
  /// `looked`: `now` tells of these only. `connected`: Services that have had connections. An address of the others is
  /// done with at the first count.
  mutating func update(
    holders now: [IPAddress: Set<String>], of looked: Set<IPAddress>? = nil, connected: Set<String> = [],
    announced: (IPAddress) -> Bool
  ) {
    for address in looked ?? Set(holders.keys).union(now.keys) {
      let has = now[address] ?? []
      let lost = (holders[address] ?? []).subtracting(has)
      if !lost.isEmpty, announced(address) {
        entries[address, default: Entry(services: [])].services.formUnion(lost)
        if !lost.isDisjoint(with: connected) { entries[address]?.hadConnections = true }
      }
      // Who has it again holds it anyway.
      entries[address]?.services.subtract(has)
      if entries[address]?.services.isEmpty == true { entries[address] = nil }
      holders[address] = has.isEmpty ? nil : has
    }
  }

  /// Takes over how many connections of ``asked`` are open; those that had none for a while, or never, are done with.
  mutating func count(_ open: [IPAddress: Int], now: Double) {
    for address in entries.keys {
      guard var entry = entries[address] else { continue }
      entry.open = open[address] ?? 0
      if entry.open > 0 { entry.hadConnections = true }
      entry.emptySince = entry.open > 0 ? nil : entry.emptySince ?? now
      let isOver = entry.emptySince.map { !entry.hadConnections || now - $0 >= Self.rest } ?? false
      entries[address] = isOver ? nil : entry
    }
  }
}
