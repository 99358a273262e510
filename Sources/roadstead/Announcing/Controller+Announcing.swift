import Addresses
import Announcing

extension Controller {
  /// Has the announcer announce what is to be announced now. After the listeners are up: what is announced answers.
  /// While the process drains, nothing is announced anew, and an address is withdrawn when its last connection has ended.
  ///
  /// `changed`: addresses of which anything may be different, beside those that linger; nil: all. `connected`: Services
  /// that have had connections, for those of them that are gone now. Returns what is to be logged.
  func announce(_ changed: Set<IPAddress>?, connected: Set<String> = []) async -> [AnnouncementRecord.Line] {
    let isLast = hasStoppedAccepting
    guard isLast || !isDraining else { return [] }
    let changed = isLast ? nil : changed
    lingering.update(holders: isLast ? [:] : holders(of: changed), of: changed, connected: connected) {
      record.plan.scope(of: $0) != nil
    }
    let asked = lingering.asked
    if changed?.isEmpty == true, asked.isEmpty { return [] }
    let open = asked.isEmpty ? [:] : await plane.connectionCounts(to: asked)
    // A drain that began meanwhile looks for itself; what was stopped is told nothing more.
    guard isLast || !isDraining, stopping == nil else { return [] }
    lingering.count(open, now: uptime)
    let plan = isLast ? record.plan.drained(to: lingering.open) : plannedAnnouncements(changed?.union(asked.keys))
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

  /// `only`: addresses that are looked at; the others stay as they are. Nil: all.
  private func plannedAnnouncements(_ only: Set<IPAddress>?) -> AnnouncementPlan {
    var moment = AnnouncementPlanner.Moment(served: served, before: record.plan, lingering: lingering.open)
    moment.standby = standbyReason
    let listen = fixedPorts.flatMap { $0.listen.map(\.address) }
    if !listen.isEmpty {
      let interfaces = InterfaceAddresses()
      moment.own = Set(listen.filter { !interfaces.interfaces(of: $0).isEmpty })
    }
    return announcementPlanner.plan(plan, fixedPorts: fixedPorts, store: store, at: moment, only: only)
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
    for await status in announcer.changes {
      log(record.take(status, now: uptime))
      noteEvent(status)
    }
  }

  /// Asks the announcer for what it tells only when asked: counters, drops.
  func refreshAnnouncements() async {
    // One that was stopped has nobody left to answer.
    guard let announcer, stopping == nil else { return }
    let drops = await announcer.drops()
    // Last: what the announcer tells while this waits is newer than what it answered before.
    record.refresh(await announcer.statuses(), drops: drops)
  }

  /// Withdraws all addresses; returns once they are, or after `seconds`. Also when it is called twice.
  func stopAnnouncing(within seconds: Double) async {
    isDraining = true
    guard let announcer else { return }
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
