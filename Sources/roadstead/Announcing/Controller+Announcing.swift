import Addresses
import Announcing

extension Controller {
  /// Has the announcer announce what is to be announced now. After the listeners are up: what is announced answers.
  /// While the process drains, nothing is announced anew, and an address is withdrawn when its last connection has ended.
  ///
  /// `connected`: Services that have had connections, for those of them that are gone now. Returns what is to be logged.
  func announce(connected: Set<String> = []) async -> [AnnouncementRecord.Line] {
    let isLast = hasStoppedAccepting
    guard isLast || !isDraining else { return [] }
    lingering.update(holders: isLast ? [:] : holders, connected: connected) { record.plan.scope(of: $0) != nil }
    let asked = lingering.asked
    let open = asked.isEmpty ? [:] : await plane.connectionCounts(to: asked)
    // A drain that began meanwhile looks for itself; what was stopped is told nothing more.
    guard isLast || !isDraining, stopping == nil else { return [] }
    lingering.count(open, now: uptime)
    let plan = isLast ? record.plan.drained(to: lingering.open) : plannedAnnouncements
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

  private var plannedAnnouncements: AnnouncementPlan {
    var moment = AnnouncementPlanner.Moment(served: served, before: record.plan, lingering: lingering.open)
    let listen = fixedPorts.flatMap { $0.listen.map(\.address) }
    if !listen.isEmpty {
      let interfaces = InterfaceAddresses()
      moment.own = Set(listen.filter { !interfaces.interfaces(of: $0).isEmpty })
    }
    return announcementPlanner.plan(plan, fixedPorts: fixedPorts, store: manifests?.store ?? .init(), at: moment)
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
    for await status in announcer.changes { log(record.take(status, now: uptime)) }
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

  /// Which Services, or `-` for `--listen`, have each address.
  private var holders: [IPAddress: Set<String>] {
    var holders: [IPAddress: Set<String>] = [:]
    for service in plan.services {
      for assignment in service.outcome.addresses {
        holders[assignment.address, default: []].insert(service.name.description)
      }
    }
    for port in fixedPorts {
      for listen in port.listen { holders[listen.address, default: []].insert(port.service) }
    }
    return holders
  }
}
