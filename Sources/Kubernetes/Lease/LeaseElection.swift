/// Who holds a Lease, by client-go's rules (tools/leaderelection): no requests, no clock, events in and one request out.
///
/// | state | event | becomes | request |
/// |---|---|---|---|
/// | unknown | tick | unknown | get |
/// | unknown, stand-by | read: another's, and not run out | stand-by | |
/// | unknown, stand-by | read: nobody's, or run out | stand-by | update |
/// | unknown, stand-by | read: there is none, and none that was there is still to run out | stand-by | create |
/// | unknown, stand-by | read: this one's, by a write whose answer was lost | holder, unverified | update |
/// | stand-by | tick, each retry period and when it runs out | stand-by | get |
/// | stand-by | watched: another holder than the known one, or none | stand-by | get |
/// | stand-by | written | holder | |
/// | holder | tick, each retry period | holder | update |
/// | holder | tick, after the renew deadline | holder, unverified | get |
/// | holder | watched: not this one's | holder | get |
/// | holder | read: this one's, nobody's, or none | holder, verified once that is written | update, create |
/// | holder | read: another's | stand-by | |
/// | holder | written | holder, verified | |
/// | any | failed: a conflict | the same | get |
/// | any | failed | the same | get, after the retry period |
/// | holder | release | releasing, unverified | update to nobody |
/// | stand-by | release, while a write may still arrive | releasing | get, then update to nobody |
/// | unknown, stand-by | release | released | |
/// | releasing | written: nobody's; read: not this one's | released | |
///
/// All else changes nothing. One request at a time: an event that asks for one while another is on its way is heeded after
/// it. What a watch tells may be old, so it leads to a get, not to a belief.
///
/// Never two verified holders, whatever the clocks of hosts say: a holder is verified from the moment at which it *sent*
/// a renewal that succeeded, a stand-by waits from the moment at which it *read* the renewal, each by its own clock, and
/// each write is conditional on the version that was read.
struct LeaseElection: Sendable {
  /// What the owner tells.
  enum Event: Hashable, Sendable {
    /// ``deadline`` has come; too early, it does nothing.
    case tick
    /// A watch shows the Lease; nil: it was deleted.
    case watched(LeaseRecord?)
    /// The answer to `get`; nil: there is none.
    case read(LeaseRecord?)
    /// The answer to `create` and `update`.
    case written(LeaseRecord)
    /// The request failed, or nothing came in time: it may have been done all the same.
    case failed(APIError)
    /// Give the Lease back, and want it no more.
    case release
  }

  /// A request to be sent at once. Each ends in `read`, `written` or `failed`.
  enum Request: Hashable, Sendable {
    case get
    case create(LeaseRecord)
    /// On condition that the object is still of the record's version.
    case update(LeaseRecord)
  }

  enum State: Hashable, Sendable {
    case unknown
    case standby
    /// Since that second of Unix time.
    case holder(since: Int)
    /// Nil: of a stand-by that may have got it.
    case releasing(since: Int?)
    case released
  }

  /// Seconds between tries of a release, for which nobody waits long.
  private static let releaseRetry = 0.1

  let settings: LeaseSettings
  private(set) var state = State.unknown
  /// As last read or written. Kept where the Lease was deleted: who held it need not know yet.
  private(set) var record: LeaseRecord?
  private var isGone = false
  /// Since when ``record`` is seen unchanged, without a gap.
  private var unchangedSince = 0.0
  private var lastRead = -Double.infinity
  /// Whether the server was away since the last read.
  private var hasFailed = false
  /// Whether a write that failed may have been done.
  private var isInDoubt = false
  /// Refusals in a row of what was just read.
  private var refusals = 0
  private var verifiedUntil = -Double.infinity
  private var isWaitingForEndOfVerified = false
  /// Whether the record must be read before it is written again.
  private var isStale = true
  /// Whether the watch told of something that no request that was sent since has answered.
  private var isToldOfChange = false
  private var nextTry = -Double.infinity
  private var pending: (isWrite: Bool, sentAt: Double)?

  init(_ settings: LeaseSettings) { self.settings = settings }

  /// When it wants ``Event/tick``, in seconds of the owner's clock; nil for not before the pending request's end.
  var deadline: Double? {
    let tryAt = pending == nil && state != .released ? nextTry : .infinity
    let deadline = min(tryAt, isWaitingForEndOfVerified ? verifiedUntil : .infinity)
    return deadline < .infinity ? deadline : nil
  }

  func status(now: Double) -> LeaseStatus {
    switch state {
    case .unknown: .unknown
    case .standby:
      .standby(holder: record.flatMap { isGone || $0.holderIdentity.isEmpty ? nil : $0.holderIdentity })
    case .holder(let since), .releasing(let since?): .holder(since: since, isVerified: now < verifiedUntil)
    case .releasing(nil), .released: .standby(holder: nil)
    }
  }

  /// Takes an event; returns the request to send, if any.
  ///
  /// `now` is of a clock that goes on while the process or the machine stands still (CLOCK_BOOTTIME); `wallTime` is only
  /// written down, for people.
  mutating func handle(_ event: Event, now: Double, wallTime: MicroTime) -> Request? {
    let sent = pending
    switch event {
    case .tick, .watched, .release: break
    case .read, .written, .failed: pending = nil
    }
    switch event {
    case .tick: break
    case .watched(let shown): heed(shown, now)
    case .read(let read): note(read, now)
    case .written(let written): note(written, sentAt: sent?.sentAt ?? -.infinity, now, wallTime)
    case .failed(let error): note(error, isWrite: sent?.isWrite ?? false, now)
    case .release: release(now)
    }
    var request: Request?
    if pending == nil {
      if case .read = event, !isToldOfChange {
        request = judge(now, wallTime)
      } else {
        request = next(now, wallTime)
      }
    }
    if let request {
      pending = (request != .get, now)
      if request == .get { isToldOfChange = false }
    }
    isWaitingForEndOfVerified = now < verifiedUntil && status(now: now).isHolder
    return request
  }

  // MARK: - What is learnt

  private mutating func heed(_ shown: LeaseRecord?, _ now: Double) {
    let holder = shown?.holderIdentity
    switch state {
    case .unknown: break
    case .standby:
      if holder == (isGone ? nil : record?.holderIdentity) { return }
      // Its own write, whose answer is to come.
      if holder == settings.identity, pending?.isWrite == true { return }
    case .holder, .releasing: if holder == settings.identity { return }
    case .released: return
    }
    isToldOfChange = true
    isStale = true
    nextTry = now
  }

  private mutating func note(_ read: LeaseRecord?, _ now: Double) {
    // Where the server was away, its holder could not renew either; where this process stood still, perhaps all did.
    let isInterrupted = hasFailed || now - lastRead > settings.renewDeadline
    lastRead = now
    hasFailed = false
    isInDoubt = false
    isStale = false
    isGone = read == nil
    if isInterrupted || read.map({ record?.says($0) != true }) == true { unchangedSince = now }
    if let read { record = read }
  }

  private mutating func note(_ written: LeaseRecord, sentAt: Double, _ now: Double, _ wallTime: MicroTime) {
    lastRead = now
    unchangedSince = now
    hasFailed = false
    isInDoubt = false
    refusals = 0
    isStale = false
    isGone = false
    record = written
    switch state {
    case .unknown, .standby: state = .holder(since: wallTime.unixSeconds)
    case .holder: break
    case .releasing:
      if written.holderIdentity != settings.identity { state = .released }
      nextTry = now
      return
    case .released: return
    }
    verifiedUntil = sentAt + settings.renewDeadline
    nextTry = max(now, sentAt + settings.retryPeriod)
  }

  private mutating func note(_ error: APIError, isWrite: Bool, _ now: Double) {
    isStale = true
    let pause: Double
    if isWrite, error.isConflict || error.isNotFound {
      // Somebody was quicker; more than once in a row is more than that.
      refusals += 1
      pause = refusals > 1 ? settings.retryPeriod : 0
    } else {
      hasFailed = true
      if isWrite, error.code == 0 || error.code >= 500 { isInDoubt = true }
      pause = max(settings.retryPeriod, min(error.retryAfter ?? 0, settings.renewDeadline / 2))
    }
    if case .releasing = state { nextTry = now + min(pause, Self.releaseRetry) } else { nextTry = now + pause }
  }

  private mutating func release(_ now: Double) {
    switch state {
    case .unknown, .standby: state = isInDoubt || pending?.isWrite == true ? .releasing(since: nil) : .released
    case .holder(let since): state = .releasing(since: since)
    case .releasing, .released: return
    }
    // The next holder may know of the release before this one.
    verifiedUntil = -.infinity
    nextTry = now
  }

  // MARK: - What is done

  private mutating func next(_ now: Double, _ wallTime: MicroTime) -> Request? {
    if isToldOfChange { nextTry = min(nextTry, now) }
    guard now >= nextTry else { return nil }
    switch state {
    case .unknown, .standby: return .get
    case .holder: return isStale || isToldOfChange || now >= verifiedUntil ? .get : claim(wallTime)
    case .releasing: return isStale || isToldOfChange ? .get : judge(now, wallTime)
    case .released: return nil
    }
  }

  /// Decides on what was just read.
  private mutating func judge(_ now: Double, _ wallTime: MicroTime) -> Request? {
    let holder = isGone ? "" : record?.holderIdentity ?? ""
    switch state {
    case .unknown, .standby:
      state = .standby
      if holder == settings.identity {
        state = .holder(since: wallTime.unixSeconds)
        return claim(wallTime)
      }
      if holder.isEmpty, !isGone || record?.holderIdentity.isEmpty != false { return claim(wallTime) }
      let end = unchangedSince + (record?.leaseDurationSeconds.map { Double($0) } ?? settings.duration)
      guard now < end else { return claim(wallTime) }
      refusals = 0
      nextTry = min(now + settings.retryPeriod, end)
      return nil
    case .holder:
      if holder == settings.identity {
        nextTry = verifiedUntil - settings.renewDeadline + settings.retryPeriod
        return now < nextTry ? nil : claim(wallTime)
      }
      verifiedUntil = -.infinity
      if holder.isEmpty { return claim(wallTime) }
      state = .standby
      nextTry = now + settings.retryPeriod
      return nil
    case .releasing:
      guard holder == settings.identity, var nobodys = record else {
        state = .released
        return nil
      }
      nobodys.holderIdentity = ""
      nobodys.leaseDurationSeconds = 1
      nobodys.acquireTime = wallTime
      nobodys.renewTime = wallTime
      return .update(nobodys)
    case .released: return nil
    }
  }

  /// Renews the Lease where it is this one's, else takes it.
  private func claim(_ wallTime: MicroTime) -> Request {
    var claimed = record ?? LeaseRecord()
    let isOwn = !isGone && claimed.holderIdentity == settings.identity
    if !isOwn {
      if record != nil { claimed.leaseTransitions &+= 1 }
      claimed.holderIdentity = settings.identity
      claimed.acquireTime = wallTime
    }
    // Others see a renewal by its time, so it is another one even where the clock stands.
    let isSameTime = isOwn && claimed.renewTime == wallTime
    claimed.renewTime = MicroTime(microseconds: wallTime.microseconds + (isSameTime ? 1 : 0))
    claimed.leaseDurationSeconds = Int(settings.duration.rounded(.up))
    guard isGone || record == nil else { return .update(claimed) }
    claimed.resourceVersion = ""
    return .create(claimed)
  }
}
