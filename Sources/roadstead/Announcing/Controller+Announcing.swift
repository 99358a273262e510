import Addresses
import Announcing

extension Controller {
  /// Has the announcer announce what is to be announced now. After the listeners are up: what is announced answers.
  /// Returns what is to be logged of it.
  ///
  /// `changed`: addresses of which anything may be different, beside those that linger; nil: all.
  func announce(_ changed: Set<IPAddress>?) async -> [AnnouncementRecord.Line] {
    lingering.update(holders: holders(of: changed), of: changed) { record.plan.scope(of: $0) != nil }
    let asked = lingering.asked
    if changed?.isEmpty == true, asked.isEmpty { return [] }
    let open = asked.isEmpty ? [:] : await plane.connectionCounts(to: asked)
    // What is announced stays as it is for those who still have connections, until `stopAnnouncing`.
    guard !isDraining else { return [] }
    lingering.count(open, now: uptime)
    let plan = announcementPlanner.plan(
      plan, fixedPorts: fixedPorts, store: store,
      at: AnnouncementPlanner.Moment(served: served, before: record.plan, lingering: lingering.open),
      only: changed?.union(asked.keys))
    let lines = record.take(plan)
    let announcements = plan.announcements
    guard let announcer, announcements != announced else { return lines }
    announced = announcements
    announcer.announce(announcements)
    // Its own copy is gone before it is called: once.
    let blocks = afterFirstAnnounce
    afterFirstAnnounce = nil
    blocks?()
    return lines
  }

  /// Logs each.
  func log(_ lines: [AnnouncementRecord.Line]) {
    for line in lines { logger.log(level: line.level, "\(line.text)") }
  }

  /// Whether time alone may withdraw an address, so that it should be looked at soon: ``Event/lingering``.
  var hasLingering: Bool { !lingering.isEmpty }

  /// Logs what the announcer tells, and remembers it, until it stops.
  func followAnnouncer() async {
    guard let announcer else { return }
    for await status in announcer.changes { log(record.take(status)) }
  }

  /// Asks the announcer for what it tells only when asked: counters, drops.
  func refreshAnnouncements() async {
    // One that was stopped has nobody left to answer.
    guard let announcer, stopping == nil else { return }
    let statuses = await announcer.statuses()
    record.refresh(statuses, drops: await announcer.drops())
  }

  /// Withdraws all addresses; returns once they are, or after `seconds`. Also when it is called twice.
  func stopAnnouncing(within seconds: Double) async {
    guard let announcer else { return }
    isDraining = true
    let stop = stopping ?? Task { await announcer.stop() }
    stopping = stop
    let (done, isDone) = AsyncStream<Void>.makeStream()
    Task {
      await stop.value
      isDone.yield()
    }
    Task {
      try? await Task.sleep(for: .seconds(seconds))
      isDone.yield()
    }
    for await _ in done { break }
  }

  /// Which Services, or `-` for `--listen`, have each of `addresses`; nil: of all.
  private func holders(of addresses: Set<IPAddress>?) -> [IPAddress: Set<String>] {
    var holders: [IPAddress: Set<String>] = [:]
    for address in addresses ?? Set(plan.holders.keys) {
      if let names = plan.holders[address] { holders[address] = Set(names.map(\.description)) }
    }
    for port in fixedPorts {
      for listen in port.listen where addresses?.contains(listen.address) ?? true {
        holders[listen.address, default: []].insert(port.service)
      }
    }
    return holders
  }
}
