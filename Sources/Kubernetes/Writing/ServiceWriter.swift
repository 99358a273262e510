import Addresses

/// Writes back to the cluster what Services are to say: status, the pool's annotation, events.
///
/// It is told the whole desired state each time and sends what differs, four requests at a time. What cannot be sent
/// now is sent later, and only the newest of it: nothing piles up while the API server is away. Any task may use it.
///
/// A Service is in one of these places: settled (nothing to do), in `queue` (to be looked at), in flight (a request
/// runs), or waiting (`waits`, until its time has come).
public actor ServiceWriter {
  /// How it stands.
  public struct Status: Hashable, Sendable {
    /// Services that are still to be written.
    public var pending = 0
    /// Patches that the server took, since the start.
    public var patches = 0
    /// 409s, since the start.
    public var conflicts = 0
    /// Other answers that were no success, since the start.
    public var failures = 0
    /// Services that another load balancer writes too, and that are let be for now.
    public var contested: [NamespacedName] = []
    /// Why the last request failed; nil once one has succeeded.
    public var lastError: String?
  }

  /// Requests at once.
  static let concurrency = 4
  /// Tries after conflicts, before it waits for 30 s.
  static let conflictLimit = 5
  /// Seconds for which a contested Service is let be.
  static let contestPause = 600.0
  /// Seconds between two looks at all Services: many changes a second are looked at together.
  static let comparePause = 0.1
  /// Names us in the Service's managedFields.
  static let fieldManager = "roadstead"

  let client: APIClient
  let events: EventWriter
  let loadBalancerClass: String?
  let clock: WriterClock
  let log: WriteLog

  var entries: [NamespacedName: WrittenService] = [:]
  var contested: Set<NamespacedName> = []
  /// An API server before 1.29; found out at the first answer.
  var serverDropsMode = false
  /// Nothing is sent before; moved on while the API server is away.
  var blockedUntil = 0.0
  /// Seconds of the next block.
  var outageDelay = 1.0
  var isAway = false
  /// Until then annotations are not written, for the server denies it.
  var annotationsDeniedUntil = 0.0
  var loggedCauses: Set<String> = []
  var counts = Status()
  /// Raised by ``resume()``: answers to what was asked before mean nothing any more.
  var epoch = 0
  public private(set) var isPaused: Bool

  /// Services whose event ProxyModeUnsupported was sent.
  var toldMode: Set<NamespacedName> = []

  private var latest: (reports: [ServiceReport], services: [NamespacedName: StoredObject<Service>])?
  // `queued` are those in `queue`, some of which may have been forgotten since.
  private var queue: [NamespacedName] = []
  private var queued: Set<NamespacedName> = []
  private var inFlight: Set<NamespacedName> = []
  private var waits: [NamespacedName: Double] = [:]
  private var comparedAt = -Double.infinity
  private var isComparisonDue = false
  private var alarm: (time: Double, task: Task<Void, Never>)?

  /// `loadBalancerClass` as for ``Service/isOurs(loadBalancerClass:)``. A stand-by begins `isPaused`.
  public init(
    client: APIClient, events: EventWriter, loadBalancerClass: String? = nil, isPaused: Bool = false,
    clock: WriterClock = .system, log: @escaping WriteLog = { _, _ in }
  ) {
    self.client = client
    self.events = events
    self.loadBalancerClass = loadBalancerClass
    self.isPaused = isPaused
    self.clock = clock
    self.log = log
  }

  deinit { alarm?.task.cancel() }

  /// Takes the whole desired state: all reports, and the store they were made from, which must be synced.
  ///
  /// A Service that has no report, and that this process or an earlier one has written, is cleaned. Returns at once.
  public func write(_ reports: [ServiceReport], store: ObjectStore) async {
    // Not the whole store: a second owner of it would make the watch copy what it changes.
    latest = (reports, store.services)
    guard !isPaused else { return }
    for report in reports where !report.events.isEmpty {
      guard let service = store.services[report.name]?.object else { continue }
      for event in report.events { await events.post(event, about: service) }
    }
    isComparisonDue = true
    pump()
  }

  /// A stand-by writes nothing. What is on its way ends; the newest desired state is kept for ``resume()``.
  public func pause() {
    isPaused = true
    epoch += 1
    queue = []
    queued = []
    waits = [:]
    contested = []
    setAlarm()
  }

  /// Writes what ``write(_:store:)`` was last told. Another instance may have written meanwhile: nothing is remembered.
  public func resume() {
    guard isPaused else { return }
    isPaused = false
    epoch += 1
    entries = [:]
    blockedUntil = 0
    outageDelay = 1
    comparedAt = -.infinity
    isComparisonDue = latest != nil
    pump()
  }

  /// Forgets what it was told: that was of a former tenure.
  public func forgetWishes() {
    latest = nil
    isComparisonDue = false
  }

  /// Waits until all is written, events too, for so many seconds at most; says whether it is.
  @discardableResult
  public func flush(within seconds: Double) async -> Bool {
    let deadline = clock.uptime() + seconds
    while isBusy(before: deadline), clock.uptime() < deadline { await clock.sleep(min(0.02, seconds)) }
    let areEventsSent = await events.flush(within: max(0, deadline - clock.uptime()))
    return areEventsSent && !isBusy(before: .infinity)
  }

  public var status: Status {
    var status = counts
    status.pending = queue.count + inFlight.count + waits.count
    status.contested = contested.sorted()
    return status
  }

  /// Whether nothing can be done before time has passed.
  var isIdle: Bool { !isBusy(before: clock.uptime()) }

  private func isBusy(before time: Double) -> Bool {
    if isPaused { return !inFlight.isEmpty }
    return !inFlight.isEmpty || isComparisonDue && comparedAt + Self.comparePause <= time
      || !queue.isEmpty && blockedUntil <= time || waits.values.contains { $0 <= time }
  }

  // Finds what is to be looked at, in all Services.
  private func compare() {
    isComparisonDue = false
    comparedAt = clock.uptime()
    guard let latest else { return }
    var reported: Set<NamespacedName> = []
    reported.reserveCapacity(latest.reports.count)
    for report in latest.reports {
      guard let service = latest.services[report.name]?.object, isOurs(service) else { continue }
      reported.insert(report.name)
      if let index = entries.index(forKey: report.name), entries.values[index].isSettled(report, on: service) {
        continue
      }
      var wish = report
      wish.events = []
      want(wish, of: service)
    }
    for (name, stored) in latest.services where !reported.contains(name) {
      // One of another class may carry the marks of another instance; what this process wrote it may take back.
      let isCleanable = stored.object.spec.type != .loadBalancer || isOurs(stored.object)
      if entries[name]?.memory.hasWritten == true || isCleanable && stored.object.carriesMarks {
        want(nil, of: stored.object)
      } else if entries[name] != nil {
        forget(name)
      }
    }
    for name in entries.keys where latest.services[name] == nil {
      forget(name)
      toldMode.remove(name)
    }
  }

  private func isOurs(_ service: Service) -> Bool { service.isOurs(loadBalancerClass: loadBalancerClass) }

  private func want(_ wish: ServiceReport?, of service: Service) {
    let name = service.metadata.namespacedName
    var entry: WrittenService
    if let known = entries[name], known.uid == service.metadata.uid {
      entry = known
      entry.see(service)
      // Contested or refused before: to be cleaned is another matter.
      if wish == nil, entry.wish != nil {
        waits[name] = nil
        contested.remove(name)
      }
      entry.wish = wish
    } else {
      forget(name)
      entry = WrittenService(service, wish: wish)
    }
    entry.memory.serverDropsMode = serverDropsMode
    entries[name] = entry
    guard !entry.isSettled else { return }
    enqueue(name)
  }

  /// Puts a Service where it will be looked at, unless it is there or waits.
  func enqueue(_ name: NamespacedName) {
    guard !isPaused, !inFlight.contains(name), waits[name] == nil, queued.insert(name).inserted else { return }
    queue.append(name)
  }

  /// Lets a Service wait for so many seconds.
  func wait(_ name: NamespacedName, _ seconds: Double) {
    if !isPaused, entries[name] != nil { waits[name] = clock.uptime() + seconds }
  }

  func forget(_ name: NamespacedName) {
    entries[name] = nil
    waits[name] = nil
    contested.remove(name)
  }

  /// Starts what may be started, and sets the alarm for what may not yet.
  func pump() {
    guard !isPaused else { return }
    let now = clock.uptime()
    if isComparisonDue, comparedAt + Self.comparePause <= now { compare() }
    for (name, time) in waits where time <= now {
      waits[name] = nil
      contested.remove(name)
      enqueue(name)
    }
    if blockedUntil <= now { startQueued() }
    setAlarm()
  }

  private func startQueued() {
    // Taken from the front all at once, for an array gives up its first element slowly.
    var taken = 0
    let now = clock.text
    for name in queue {
      guard inFlight.count < Self.concurrency else { break }
      taken += 1
      queued.remove(name)
      guard var entry = entries[name] else { continue }
      // Most of what changes about a Service is not ours to say: looked at here, without a task for each.
      if entry.patch(now: now).isEmpty, !entry.isToBeTold {
        entry.adopt()
        entries[name] = entry
        if entry.wish == nil { forget(name) }
        continue
      }
      inFlight.insert(name)
      let epoch = epoch
      Task {
        await self.converge(name, epoch)
        self.finish(name, epoch)
      }
    }
    queue.removeFirst(taken)
  }

  private func finish(_ name: NamespacedName, _ epoch: Int) {
    inFlight.remove(name)
    // The wish may have changed meanwhile.
    if let entry = entries[name], !entry.isSettled { enqueue(name) }
    pump()
  }

  private func setAlarm() {
    var time = isPaused ? .infinity : waits.values.min() ?? .infinity
    if isComparisonDue, !isPaused { time = min(time, comparedAt + Self.comparePause) }
    if !queue.isEmpty, blockedUntil > clock.uptime() { time = min(time, blockedUntil) }
    if alarm?.time == time { return }
    alarm?.task.cancel()
    alarm = nil
    guard time < .infinity else { return }
    alarm = (
      time,
      Task { [weak self, clock] in
        await clock.sleep(max(0, time - clock.uptime()))
        if !Task.isCancelled { await self?.ring() }
      }
    )
  }

  private func ring() {
    alarm = nil
    pump()
  }
}
