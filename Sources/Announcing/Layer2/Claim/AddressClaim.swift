import Addresses

/// One address on one interface: asked for, held, defended, given back. No sockets, no clock: events in, actions out.
///
/// | state | event | becomes | actions |
/// |---|---|---|---|
/// | idle | start | probing | probe |
/// | idle | start, adopting | held | put, advertise |
/// | probing | due | probing | probe, until all are sent |
/// | probing | due, after the last window | held | put, advertise |
/// | probing | due, too late to have listened | probing anew | probe |
/// | probing | a claim or an answer | waiting | |
/// | probing | a probe of a lower link-layer address | waiting | |
/// | probing | another link-layer address | probing anew | probe |
/// | held | due | held | put, advertise, each in its time |
/// | held | due, a rival confirmed | waiting | remove |
/// | held | a claim or an answer | held | advertise and probe, each at most once in its time |
/// | held | any but withdraw and link lost, after the lifetime | probing | remove, probe; then as probing |
/// | held | dropped | probing | remove, probe |
/// | held | put failed | waiting | remove |
/// | held | probe failed | held | |
/// | held | another link-layer address | held | advertise, as often as at first |
/// | probing | probe failed | waiting | |
/// | waiting | due | probing | probe |
/// | any but the last two | tenure | the same; from waiting, where fenced and another has it, probing | probe |
/// | any but the last two | withdraw | withdrawn | remove, where held |
/// | any but the last two | link lost | lost | remove, where held |
///
/// With another ``Tenure`` than `alone`, some of it is otherwise:
///
/// | tenure | state | event | becomes | actions |
/// |---|---|---|---|---|
/// | fenced | probing | a claim or an answer | probing | probe, until all are sent |
/// | fenced | probing | due, after the last window, each answered | waiting | |
/// | fenced | probing | due, after the last window, some answered | probing anew | probe |
/// | fenced | probing | a probe | probing | |
/// | fenced | held | due, a rival confirmed | held, ``rival`` | probe, after the time between tries, until it is gone |
/// | unverified | probing | two probes of one host, the second in the later half | waiting | |
/// | unverified | held | two probes of one host | waiting | remove |
///
/// In the later half, for one that is unverified too, and has the higher link-layer address, is silent by then. The last
/// but for the lower link-layer address while it asks who claims the address. Else both of two would give it up.
///
/// All else changes nothing. Withdrawn and lost are the ends: there is a new claim when it is wanted again.
struct AddressClaim: Sendable {
  /// What the owner tells.
  enum Event: Hashable, Sendable {
    /// The address is wanted; `adopting` where an earlier process left it on this interface and it is there still.
    case start(adopting: Bool)
    /// ``deadline`` has come; too early, it does nothing.
    case due
    /// A frame of another host about this address.
    case sighted(Sighting.Kind, by: MACAddress)
    /// The kernel refused to put or renew the address.
    case putFailed(AnnouncementObstacle)
    /// A probe could not be sent.
    case probeFailed(AnnouncementObstacle)
    /// The kernel, or an administrator, took the address off the interface.
    case dropped
    case linkLayerAddressChanged(MACAddress)
    /// The interface is gone, or unfit, and why.
    case linkLost(AnnouncementObstacle)
    /// What this host may believe is another.
    case tenure(Tenure)
    /// The address is not wanted any more.
    case withdraw
  }

  /// What the owner is to do, in this order and at once: a `put` that waits in a queue may come after the lapse.
  ///
  /// Where `put` or `sendProbe` fails, what is after it in the list is not to be done, and the failure is handed in.
  enum Action: Hashable, Sendable {
    /// Send one ARP probe, or one duplicate address detection's solicitation.
    case sendProbe
    /// Add the address with ``ClaimTimes/lifetime``, or renew it.
    case put
    /// Take it off the interface; that it is not there is no failure.
    case remove
    /// Send a gratuitous ARP request and reply, or an unsolicited neighbour advertisement.
    case advertise
    /// ``status`` is another than was last said, or the address was defended.
    case changed
  }

  enum State: Hashable, Sendable {
    case idle
    /// With what was in the way the last time, which is what ``status`` says until that is known to be over.
    case probing(ProbeSeries, after: AnnouncementObstacle?)
    case held(Holding)
    case waiting(AnnouncementObstacle, until: Double)
    case withdrawn
    case lost(AnnouncementObstacle)
  }

  /// What belongs to a held address.
  struct Holding: Hashable, Sendable {
    /// In seconds of Unix time.
    let since: Int
    var lastPut: Double
    var nextRenewal: Double
    var advertisements: AdvertisementSeries
    /// When a claim is to be answered that came too soon after another: neighbours may have believed it.
    var defendAt: Double?
    /// When a conflict is to be looked into.
    var verifyAt: Double?
    var verification: Verification?
    /// Who has the address as well, although it is this host's.
    var rival: MACAddress?
  }

  /// A probe of another host.
  private struct ForeignProbe: Hashable, Sendable {
    let mac: MACAddress
    let at: Double
  }

  /// What a failed action takes back.
  private struct Record: Hashable, Sendable {
    var counters = AnnouncementStatus.Counters()
    var told = AnnouncementStatus.State.probing
    var toldDefences: UInt64 = 0
    var toldRival: MACAddress?
  }

  let address: IPAddress
  let times: ClaimTimes
  /// The interface's link-layer address.
  private(set) var mac: MACAddress
  private(set) var tenure: Tenure
  private(set) var state = State.idle
  /// Who else claimed the address last while it was held.
  private(set) var claimant: MACAddress?
  private var record = Record()
  private var recordBefore = Record()
  private var nextDefence = -Double.infinity
  private var nextVerification = -Double.infinity
  /// The last probes that others sent, of each host one.
  private var foreignProbes: [ForeignProbe] = []
  /// Who has the address that is probed for, and after how many of the probes it said so.
  private var answers: (mac: MACAddress, after: Set<Int>)?

  init(_ address: IPAddress, mac: MACAddress, times: ClaimTimes = ClaimTimes(), tenure: Tenure = .alone) {
    self.address = address
    self.mac = mac
    self.times = times
    self.tenure = tenure
  }

  var counters: AnnouncementStatus.Counters { record.counters }

  /// Whether the address is on the interface, as far as this claim knows.
  var isHeld: Bool { if case .held = state { true } else { false } }

  /// Another host that has the address, although it is held here and this host's.
  var rival: MACAddress? { if case .held(let holding) = state { holding.rival } else { nil } }

  var status: AnnouncementStatus.State {
    switch state {
    case .idle, .probing(_, after: nil): .probing
    case .probing(_, after: let obstacle?), .waiting(let obstacle, _), .lost(let obstacle): .waiting(obstacle)
    case .held(let holding): .announced(since: holding.since)
    case .withdrawn: .withdrawn
    }
  }

  /// When it wants ``Event/due``, in seconds of the loop's clock; nil for never.
  var deadline: Double? {
    switch state {
    case .idle, .withdrawn, .lost: nil
    case .probing(let probes, _): probes.next
    case .waiting(_, let until): until
    case .held(let holding):
      min(
        holding.nextRenewal, holding.advertisements.next, holding.defendAt ?? .infinity,
        holding.verification?.next ?? holding.verifyAt ?? .infinity)
    }
  }

  /// Takes an event and appends what is to be done.
  ///
  /// `now` is of a clock that stands still where the kernel's timers do (CLOCK_MONOTONIC), and is read afresh, not that
  /// of an event loop's turn: after a stop it decides whether the address is there still. `unixTime` is for people.
  mutating func handle(
    _ event: Event, now: Double, unixTime: Int, using random: inout some RandomNumberGenerator, actions: inout [Action]
  ) {
    switch event {
    case .putFailed, .probeFailed: takeBack()
    case .start, .due, .sighted, .dropped, .linkLayerAddressChanged, .linkLost, .tenure, .withdraw:
      recordBefore = record
    }
    switch event {
    case .withdraw: end(.withdrawn, &actions)
    case .linkLost(let obstacle): end(.lost(obstacle), &actions)
    case .linkLayerAddressChanged(let mac):
      self.mac = mac
      handleInState(event, now, unixTime, &random, &actions)
    case .tenure(let tenure):
      self.tenure = tenure
      handleInState(event, now, unixTime, &random, &actions)
    case .start, .due, .sighted, .putFailed, .probeFailed, .dropped:
      handleInState(event, now, unixTime, &random, &actions)
    }
    if status != record.told || rival != record.toldRival || record.counters.defences != record.toldDefences {
      record.told = status
      record.toldRival = rival
      record.toldDefences = record.counters.defences
      actions.append(.changed)
    }
  }

  /// What was counted and said for actions that were not done.
  private mutating func takeBack() {
    let conflicts = record.counters.conflicts
    record = recordBefore
    record.counters.conflicts = conflicts
  }

  private mutating func end(_ end: State, _ actions: inout [Action]) {
    switch state {
    case .withdrawn, .lost: return
    case .idle, .probing, .waiting: break
    case .held: actions.append(.remove)
    }
    state = end
  }

  private mutating func handleInState(
    _ event: Event, _ now: Double, _ unixTime: Int, _ random: inout some RandomNumberGenerator,
    _ actions: inout [Action]
  ) {
    if case .held(let holding) = state, now - holding.lastPut >= times.lapse {
      // The loop stood still, the kernel has dropped the address or is about to, and another may have it.
      actions.append(.remove)
      probe(after: nil, now, &actions)
    }
    switch state {
    case .idle:
      guard case .start(let isAdopting) = event else { return }
      if isAdopting { take(now, unixTime, &actions) } else { probe(after: nil, now, &actions) }
    case .probing(let probes, let obstacle):
      probing(probes, after: obstacle, event, now, unixTime, &random, &actions)
    case .held(let holding):
      held(holding, event, now, &random, &actions)
    case .waiting(let obstacle, let until):
      if event == .due ? now >= until : isFencedOff(obstacle, by: event) { probe(after: obstacle, now, &actions) }
    case .withdrawn, .lost: break
    }
  }

  // MARK: - Probing

  /// Whether who has the address is to be asked for it anew, for it is this host's now.
  private func isFencedOff(_ obstacle: AnnouncementObstacle, by event: Event) -> Bool {
    guard event == .tenure(.fenced), case .addressInUse = obstacle else { return false }
    return true
  }

  private mutating func probe(after obstacle: AnnouncementObstacle?, _ now: Double, _ actions: inout [Action]) {
    answers = nil
    var probes = ProbeSeries(count: times.probeCount, distance: times.probeDistance, now: now)
    if probes.step(now: now) == .send { sendProbe(&actions) }
    state = .probing(probes, after: obstacle)
  }

  private mutating func probing(
    _ probes: ProbeSeries, after obstacle: AnnouncementObstacle?, _ event: Event, _ now: Double, _ unixTime: Int,
    _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
  ) {
    switch event {
    case .due:
      var probes = probes
      switch probes.step(now: now) {
      case .wait: break
      case .send:
        state = .probing(probes, after: obstacle)
        sendProbe(&actions)
      case .isLate: probe(after: obstacle, now, &actions)
      case .isOver:
        guard let answers else { return take(now, unixTime, &actions) }
        let obstacle = AnnouncementObstacle.addressInUse(by: answers.mac)
        // Who had it may just have learnt from the probes whose it is.
        if answers.after.count == probes.count {
          wait(for: obstacle, now, &random)
        } else {
          probe(after: obstacle, now, &actions)
        }
      }
    case .sighted(.claim, by: let rival), .sighted(.answer, by: let rival):
      record.counters.conflicts += 1
      switch tenure {
      case .alone, .unverified: wait(for: .addressInUse(by: rival), now, &random)
      case .fenced:
        answers = (rival, (answers?.after ?? []).union([probes.sent]))
        state = .probing(probes, after: .addressInUse(by: rival))
      }
    case .sighted(.probe, by: let rival):
      if tenure == .fenced { return }
      // Both stopping, as RFC 5227 has it in section 2.1.1, would leave the address to nobody. An old probe, unread while
      // the loop stood still, tells nothing of now: who probes now does it again.
      let isHeedless = isTakingOver(rival, now) && probes.hasBeenHeard(now)
      let isOld = probes.mayBeOlder(now) && tenure != .unverified
      if isHeedless || rival < mac && !isOld { wait(for: .addressInUse(by: rival), now, &random) }
    case .probeFailed(let obstacle), .putFailed(let obstacle): wait(for: obstacle, now, &random)
    // Probes from before may have reached nobody, or their answers another address.
    case .linkLayerAddressChanged: probe(after: obstacle, now, &actions)
    case .start, .dropped, .linkLost, .tenure, .withdraw: break
    }
  }

  /// Notes another host's probe; whether this host, which cannot ask whose the address is, takes it for the new holder's.
  private mutating func isTakingOver(_ rival: MACAddress, _ now: Double) -> Bool {
    foreignProbes.removeAll { now - $0.at > times.takeover }
    let isSecond = foreignProbes.contains { $0.mac == rival }
    foreignProbes.removeAll { $0.mac == rival }
    // Whoever floods the LAN with probes gets no room for all of them.
    if foreignProbes.count < 8 { foreignProbes.append(ForeignProbe(mac: rival, at: now)) }
    return tenure == .unverified && isSecond
  }

  private mutating func wait(
    for obstacle: AnnouncementObstacle, _ now: Double, _ random: inout some RandomNumberGenerator
  ) {
    // Not all at once, where several wait for one.
    let seconds = times.retry * Double.random(in: 0.9...1, using: &random)
    state = .waiting(obstacle, until: ClaimTimes.roundedUp(now + seconds))
  }

  // MARK: - Holding

  private mutating func take(_ now: Double, _ unixTime: Int, _ actions: inout [Action]) {
    var holding = Holding(
      since: unixTime, lastPut: now, nextRenewal: ClaimTimes.roundedUp(now + times.renewal),
      advertisements: AdvertisementSeries(from: now))
    actions.append(.put)
    advertise(&actions)
    holding.advertisements.sent(now: now, times)
    state = .held(holding)
  }

  private mutating func held(
    _ before: Holding, _ event: Event, _ now: Double, _ random: inout some RandomNumberGenerator,
    _ actions: inout [Action]
  ) {
    var holding = before
    switch event {
    case .due: break
    case .sighted(.claim, by: let rival): conflict(with: rival, &holding, now, &actions)
    case .sighted(.answer, by: let rival):
      holding.verification?.answered(by: rival)
      conflict(with: rival, &holding, now, &actions)
    // The kernel answers it.
    case .sighted(.probe, by: let rival):
      let isAsking = holding.verification != nil
      if isTakingOver(rival, now), !isAsking || rival < mac {
        actions.append(.remove)
        return wait(for: .addressInUse(by: rival), now, &random)
      }
    case .dropped:
      // A renewal that was on its way when the address went has put it back.
      actions.append(.remove)
      return probe(after: nil, now, &actions)
    case .putFailed(let obstacle):
      actions.append(.remove)
      return wait(for: obstacle, now, &random)
    case .probeFailed:
      // Who cannot ask does not yield.
      holding.verification = nil
      if holding.rival != nil { holding.verifyAt = max(now, nextVerification) }
    case .tenure(let tenure):
      // Whether it yields after all is looked into anew.
      if tenure != .fenced, holding.rival != nil {
        holding.rival = nil
        holding.verifyAt = max(now, nextVerification)
      }
    case .linkLayerAddressChanged:
      holding.verification = nil
      holding.rival = nil
      holding.advertisements = AdvertisementSeries(from: now)
    case .start, .linkLost, .withdraw: return
    }

    if holding.verification == nil, let verifyAt = holding.verifyAt, now >= verifyAt {
      holding.verifyAt = nil
      holding.verification = Verification(times, own: mac, now: now)
      nextVerification = ClaimTimes.roundedUp(now + times.retry)
    }
    let verdict = holding.verification?.step(now: now) ?? .undecided
    switch verdict {
    case .undecided, .probe: break
    case .confirmed(let rival) where tenure == .fenced:
      holding.verification = nil
      holding.rival = rival
      holding.verifyAt = max(now, nextVerification)
    case .confirmed(let rival):
      actions.append(.remove)
      return wait(for: .addressInUse(by: rival), now, &random)
    case .unconfirmed:
      holding.verification = nil
      holding.rival = nil
    }
    if now >= holding.nextRenewal {
      holding.lastPut = now
      holding.nextRenewal = ClaimTimes.roundedUp(now + times.renewal)
      record.counters.renewals += 1
      actions.append(.put)
    }
    if let defendAt = holding.defendAt, now >= defendAt { defend(&holding, now, &actions) }
    if now >= holding.advertisements.next {
      advertise(&actions)
      holding.advertisements.sent(now: now, times)
    }
    // Last: where it fails, nothing else is left undone.
    if verdict == .probe { sendProbe(&actions) }
    state = .held(holding)
  }

  /// Someone claims what is ours: said again, and looked into, both only so often that two who do so come to an end.
  private mutating func conflict(
    with rival: MACAddress, _ holding: inout Holding, _ now: Double, _ actions: inout [Action]
  ) {
    claimant = rival
    record.counters.conflicts += 1
    if now >= nextDefence { defend(&holding, now, &actions) } else { holding.defendAt = nextDefence }
    if holding.verification == nil, holding.verifyAt == nil { holding.verifyAt = max(now, nextVerification) }
  }

  private mutating func defend(_ holding: inout Holding, _ now: Double, _ actions: inout [Action]) {
    holding.defendAt = nil
    nextDefence = ClaimTimes.roundedUp(now + times.defence)
    record.counters.defences += 1
    advertise(&actions)
  }

  // MARK: - Counted actions

  private mutating func sendProbe(_ actions: inout [Action]) {
    record.counters.probes += 1
    actions.append(.sendProbe)
  }

  private mutating func advertise(_ actions: inout [Action]) {
    record.counters.gratuitous += address.family == .v4 ? 2 : 1
    actions.append(.advertise)
  }
}
