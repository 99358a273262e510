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
  private var lines: [ServiceName: String] = [:]
  private var reported: Set<String> = []
  private var saveProblem: String?
  private var fixedLines: Set<String> = []

  /// The last that was applied; nil before the first.
  private(set) var manifests: ManifestSnapshot?
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
    announcer: (any Announcer)? = nil, logger: Logger, afterFirstAnnounce: (@Sendable () -> Void)? = nil
  ) {
    self.plane = plane
    self.fixedPorts = fixedPorts
    self.announcementPlanner = announcementPlanner
    self.announcer = announcer
    self.logger = logger
    self.afterFirstAnnounce = afterFirstAnnounce
    let restored = allocations?.restored ?? [:]
    self.allocations = allocations
    saved = restored
    planner = Planner(resolver: resolver, restored: restored)
    builder = SnapshotBuilder(
      shardCount: plane.shardCount, reasonCount: DataPlane.reasonCount,
      dropCount: DataPlane.dropCount)
    snapshot = builder.build([])
    started = clock.now
  }

  /// Makes the data plane serve what `event` brings, and returns once it does.
  func apply(_ event: Event) async {
    if case .lingering = event { return log(await announce()) }
    if case .manifests(let manifests) = event {
      self.manifests = manifests
      plan = planner.plan(manifests.store, now: uptime)
      persist()
    }
    // Asked of what runs now: the ports of a Service that goes are not in the next snapshot.
    let connected = Set(
      snapshot.ports.filter { $0.port.transport == .tcp && $0.counters.accepted > 0 }.map(\.port.service))
    snapshot = builder.build(fixedPorts + plan.ports)
    let report = await plane.apply(snapshot)
    // What ends is not news.
    guard !isDraining else { return }
    served = report
    let announcing = await announce(connected: connected)
    reportProblems()
    printLines()
    sayFlowLimit()
    // After the lines: whoever reads that a Service has an address can use it.
    let waiting = Set(plan.services.compactMap(\.waiting))
    for text in plan.events.map(\.description) where !waiting.contains(text) { logger.info("\(text)") }
    plan.events = []
    log(announcing)
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
    log(await announce())
  }

  /// Waits for connections to end, cuts off those that do not; how many. After ``stopAccepting()``.
  func drain(for seconds: Double) async -> Int { await plane.drain(for: seconds) }

  // MARK: - What people see

  /// A line for each Service that came up or changed.
  private func printLines() {
    var current: [ServiceName: String] = [:]
    for service in plan.services {
      guard let line = ServiceLine.text(service, listening: served.listening) else { continue }
      current[service.name] = line
      if lines[service.name] != line { print(line) }
    }
    for name in lines.keys.sorted() where current[name] == nil { print("\(name)  is no longer served") }
    lines = current
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

  /// Logs each problem when it is new; one that went away and comes back is new.
  private func reportProblems() {
    var problems = ((manifests?.problems ?? []) + plan.problems).map { ($0.severity.level, $0.logMessage) }
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
    guard let allocations, planner.assignments != saved else { return }
    do {
      try allocations.save(planner.assignments)
      saved = planner.assignments
      saveProblem = nil
    } catch {
      saveProblem = error.description
    }
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
