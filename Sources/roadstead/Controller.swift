import Addresses
import Announcing
import Balancing
import Kubernetes
import Logging
import Proxy

/// Keeps the data plane at what the manifests say: plans, persists, serves, and remembers why.
///
/// ``apply(_:)`` takes one ``Event`` after another, from one caller; everything else is questions.
actor Controller {
  /// What makes the controller look again.
  enum Event: Sendable {
    /// Files were read; the newest state counts.
    case manifests(ManifestSnapshot)
    /// The API server told something, or is away, or is back.
    case cluster(ClusterSnapshot)
    /// Who holds the Lease is somebody else now, or is known better.
    case lease(LeaseStatus)
    /// Time to try the addresses again that could not be listened on.
    case retry
    /// Time to look whether connections have ended on addresses that stay announced for them.
    case lingering
  }

  let plane: DataPlane
  /// What `--listen` and `--to` ask for, beside the manifests.
  let fixedPorts: [ServicePort]
  let announcementPlanner: AnnouncementPlanner
  /// Nil where nothing can be announced, or is to be.
  let announcer: (any Announcer)?
  let logger: Logger
  private let clock = ContinuousClock()
  private let started: ContinuousClock.Instant
  private var planner: Planner
  private var builder: SnapshotBuilder
  private let allocations: AllocationStore?
  private var saved: [ServiceName: [AddressAssignment]] = [:]
  /// Whether `saved` is compared with what is given; not so before the first round and after a failure.
  private var isSaved = false
  private var lines: [ServiceName: String] = [:]
  private var reported: Set<String> = []
  private var reportedFrom = ProblemSources()
  private var hadFailures = false
  private var saveProblem: String?
  private var fixedLines: Set<String> = []

  /// Files and cluster, as they were told last.
  private(set) var sources: ObjectSources
  /// Nil where no API server is read.
  let session: ClusterSession?
  /// Who holds the Lease; always this instance where there is none.
  var lease: LeaseStatus
  /// Events for Services that are still to be reported.
  var unreported: [NamespacedName: [ServiceReport.Event]] = [:]
  var isReportDue = false
  var toldOfLocalPolicy: Set<ServiceName> = []
  /// Whether this instance wants the Lease.
  var isCandidate = true
  /// The objects that were planned for last.
  private(set) var store = ObjectStore()
  private(set) var plan = Plan()
  private(set) var snapshot: Snapshot
  private(set) var served = DataPlane.Report()
  var isDraining = false
  /// Whether no connection comes any more, so that an address without one can go.
  private(set) var hasStoppedAccepting = false
  /// What is announced and what was said of it; ``announce()`` and what the announcer tells change it.
  var record = AnnouncementRecord()
  var lingering = LingeringAddresses()
  /// What the announcer was given last.
  var announced: [Announcement] = []
  var stopping: Task<Void, Never>?
  /// For tests that block the control plane while something is announced.
  var afterFirstAnnounce: (@Sendable () -> Void)?
  private var hasSaidFlowLimit = false

  init(
    plane: DataPlane, resolver: EndpointResolver, fixedPorts: [ServicePort] = [],
    allocations: sending AllocationStore? = nil, announcementPlanner: AnnouncementPlanner = .init(mode: .none),
    announcer: (any Announcer)? = nil, session: ClusterSession? = nil, readsFiles: Bool = false,
    logger: Logger, afterFirstAnnounce: (@Sendable () -> Void)? = nil
  ) {
    self.plane = plane
    self.fixedPorts = fixedPorts
    self.announcementPlanner = announcementPlanner
    self.announcer = announcer
    self.session = session
    self.logger = logger
    self.afterFirstAnnounce = afterFirstAnnounce
    let restored = allocations?.restored ?? [:]
    self.allocations = allocations
    saved = restored
    planner = Planner(
      resolver: resolver, restored: restored, loadBalancerClass: session?.options.loadBalancerClass,
      trustsStatus: session != nil)
    sources = ObjectSources(awaitsCluster: session != nil, awaitsFiles: readsFiles)
    lease = session?.options.lease == nil ? .holder(since: 0, isVerified: true) : .unknown
    planner.isFollowing = !lease.isHolder
    builder = SnapshotBuilder(
      shardCount: plane.shardCount, reasonCount: DataPlane.reasonCount,
      dropCount: DataPlane.dropCount)
    snapshot = builder.build(fixedPorts)
    started = clock.now
  }

  /// Makes the data plane serve what `event` brings, and returns once it does.
  func apply(_ event: Event) async {
    if case .lingering = event { return log(await announce([])) }
    var changes = PlanChanges()
    switch event {
    case .manifests(let manifests): changes = sources.take(manifests).map(replan) ?? changes
    case .cluster(let cluster):
      note(cluster)
      changes = sources.take(cluster).map(replan) ?? changes
    case .lease(let status): changes = await take(status)
    case .retry, .lingering: break
    }
    // Asked of what runs now: the ports of a Service that goes are not in the next snapshot.
    let connected = changes.addresses == [] ? [] : connectedServices(changes.services)
    for name in changes.services {
      builder.update(name.description, ports: plan.service(name)?.servedPorts ?? [])
    }
    snapshot = builder.snapshot
    let report = await plane.apply(snapshot)
    // What ends is not news.
    guard !isDraining else { return }
    let listening = ListeningChange(from: served, to: report)
    served = report
    let isAtLarge = listening.isAtLarge || changes.isRoleNew
    let before = session == nil ? nil : record.plan
    let announcing = await announce(isAtLarge ? nil : changes.addresses, connected: connected)
    if let before { noteUnannounced(since: before) }
    reportProblems()
    printLines(listening.isAtLarge ? nil : changes.services)
    if listening.isAny { sayFlowLimit() }
    // After the lines: whoever reads that a Service has an address can use it.
    logEvents()
    log(announcing)
    noteLocalPolicy(of: changes.services)
    if changes.addresses != [] { judgeCandidacy() }
    reportSoon()
  }

  /// The files as they were read last; nil before the first time.
  var manifests: ManifestSnapshot? { sources.manifests }

  /// Gives addresses itself, or follows another instance that does.
  func setFollowing(_ isFollowing: Bool) -> PlanChanges {
    guard planner.isFollowing != isFollowing else { return PlanChanges() }
    planner.isFollowing = isFollowing
    var changes = sources.isComplete ? replan(ObjectChanges(whole: store)) : PlanChanges()
    changes.isRoleNew = true
    return changes
  }

  /// Those of `services` that have had connections.
  private func connectedServices(_ services: Set<ServiceName>) -> Set<String> {
    let names = Set(services.map(\.description))
    return Set(
      snapshot.ports.filter {
        $0.port.transport == .tcp && names.contains($0.port.service) && $0.counters.accepted > 0
      }.map(\.port.service))
  }

  private func replan(_ objects: ObjectChanges) -> PlanChanges {
    store = objects.store
    let changes: PlanChanges
    (plan, changes) = planner.plan(objects, now: uptime)
    if changes.isAllocation || !isSaved { persist() }
    return changes
  }

  /// Seconds since the controller was made.
  var uptime: Double { (clock.now - started).seconds }

  /// Whether an address that was asked for is not served.
  var hasFailures: Bool { !served.failures.isEmpty }

  /// Stops accepting, and withdraws the addresses to which no connection is open; ``Event/lingering`` the others, when
  /// theirs have ended.
  func stopAccepting() async {
    isDraining = true
    await plane.stopAccepting()
    hasStoppedAccepting = true
    served = DataPlane.Report()
    log(await announce(nil))
  }

  /// Waits for connections to end, cuts off those that do not; how many. After ``stopAccepting()``.
  func drain(for seconds: Double) async -> Int { await plane.drain(for: seconds) }

  // MARK: - What people see

  /// A line for each of the Services that came up or changed; nil: of all.
  private func printLines(_ names: Set<ServiceName>?) {
    var gone: [ServiceName] = []
    for name in (names ?? Set(plan.services.map(\.name)).union(lines.keys)).sorted() {
      let line = plan.service(name).flatMap { ServiceLine.text($0, listening: served.listening) }
      guard lines[name] != line else { continue }
      if let line { print(line) } else { gone.append(name) }
      lines[name] = line
    }
    for name in gone { print("\(name)  is no longer served") }
    for port in fixedPorts where port.listenAddresses.contains(where: served.listening.contains) {
      let line = ServiceLine.text(port)
      if fixedLines.insert(line).inserted { print(line) }
    }
    flushStandardOutput()
  }

  /// Once, when there is UDP.
  private func sayFlowLimit() {
    guard !hasSaidFlowLimit, served.listening.contains(where: { $0.transport == .udp }) else { return }
    hasSaidFlowLimit = true
    logger.info("UDP: at most \(plane.flowLimit) flows at one time, four fifths of the limit of open files")
  }

  /// What was allocated and released; what a Service waits for is among the problems.
  private func logEvents() {
    guard !plan.events.isEmpty else { return }
    let waiting = Set(plan.services.compactMap(\.waiting))
    for text in plan.events.map(\.description) where !waiting.contains(text) { logger.info("\(text)") }
    noteEvents(plan.events)
    plan.events = []
  }

  /// Logs each problem when it is new; one that went away and comes back is new.
  private func reportProblems() {
    let found = ProblemSources(
      objects: sources.problems, plan: plan.problems, clashes: served.clashes, save: saveProblem)
    // What is listened on may have got another Service.
    guard found != reportedFrom || !served.failures.isEmpty || hadFailures else { return }
    reportedFrom = found
    hadFailures = !served.failures.isEmpty
    var problems = (sources.problems + plan.problems).map { ($0.severity.level, $0.logMessage) }
    for port in fixedPorts + plan.ports where !served.failures.isEmpty {
      let failures = port.listenAddresses.compactMap { served.failures[$0] }
      problems += failures.map { (.error, "\(port.service == "-" ? "--listen" : port.service): \($0)") }
    }
    for (address, services) in served.clashes {
      problems += services.map { (.error, "\(address) is another Service's: \($0) is not served there") }
    }
    if let saveProblem { problems.append((.error, saveProblem)) }
    for (level, text) in problems where !reported.contains(text) { logger.log(level: level, "\(text)") }
    reported = Set(problems.map(\.1))
  }

  private func persist() {
    isSaved = true
    guard let allocations, !planner.isFollowing, planner.assignments != saved else { return }
    do {
      try allocations.save(planner.assignments)
      saved = planner.assignments
      saveProblem = nil
    } catch {
      isSaved = false
      saveProblem = error.description
    }
  }
}

/// Where problems come from, but for addresses that cannot be listened on. What did not change is mostly the same
/// array as before, and compared at once.
private struct ProblemSources: Equatable {
  var objects: [ManifestProblem] = []
  var plan: [ManifestProblem] = []
  var clashes: [ListenAddress: [String]] = [:]
  var save: String?
}

/// What is different in what listens.
private struct ListeningChange {
  /// Whether anything is.
  let isAny: Bool
  /// Whether that may concern Services that did not change themselves.
  let isAtLarge: Bool

  init(from old: DataPlane.Report, to new: DataPlane.Report) {
    isAny = old != new
    let isPlain = [old, new].allSatisfy { $0.failures.isEmpty && $0.clashes.isEmpty }
    isAtLarge = isAny && (old.listening.isEmpty || !isPlain)
  }
}

extension ManifestProblem.Severity {
  fileprivate var level: Logger.Level {
    switch self {
    case .error: .error
    case .warning: .warning
    case .notice: .notice
    }
  }
}

extension Duration {
  /// With its fraction.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
