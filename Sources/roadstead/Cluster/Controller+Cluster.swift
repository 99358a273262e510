import Addresses
import Admin
import Announcing
import Kubernetes

extension Controller {
  /// Between two looks at what the Services are to say, in seconds: many changes are said together.
  private static let reportPause = Duration.milliseconds(100)

  // MARK: - The API server and the Lease

  /// Says when the API server is lost, and when it is back.
  func note(_ cluster: ClusterSnapshot) {
    noteProblems(cluster.problems)
    let before = sources.cluster?.connection ?? .connecting
    guard cluster.connection != before, let session else { return }
    let server = session.options.connection.server
    switch (before, cluster.connection) {
    case (.unreachable, .unreachable): break
    case (_, .unreachable):
      // Why was said when it was found out.
      let rest = sources.isComplete ? "; the last known state serves on" : ""
      logger.warning("\(server) is unreachable\(rest)")
    case (.unreachable, .connected): logger.notice("\(server) is reached again")
    case (.connecting, .connected): logger.info("connected to \(server)")
    case (_, .connecting), (.connected, .connected): break
    }
  }

  /// Takes over who holds the Lease: the holder allocates, announces and writes, a stand-by follows.
  func take(_ status: LeaseStatus) async -> PlanChanges {
    let before = lease
    lease = status
    guard !isDraining else { return PlanChanges() }
    switch status {
    case .holder(_, isVerified: true):
      if !before.isHolder { logger.notice("this instance holds the Lease") }
      if case .holder(_, isVerified: false) = before { logger.notice("the Lease is verified again") }
      announcer?.setTenure(.fenced)
    case .holder(_, isVerified: false):
      logger.warning("lease unverified: it cannot be renewed for now; this instance goes on as before")
      announcer?.setTenure(.unverified)
    case .standby(let holder):
      let text = holder.map { "\($0) holds the Lease" } ?? "nobody holds the Lease"
      logger.notice("\(before.isHolder ? "the Lease is lost: " : "")\(text); this instance stands by")
      toldOfLocalPolicy = []
      unreported = [:]
      // At once, and not after all is planned anew: the addresses are another's.
      if before.isHolder { log(await announce(nil)) }
    case .unknown: break
    }
    await session?.setWriting(status.isHolder)
    var changes = setFollowing(!status.isHolder)
    if !status.isHolder { changes.isRoleNew = true }
    if !before.isHolder, status.isHolder { tellProblems(sources.cluster?.problems ?? []) }
    return changes
  }

  /// Why nothing is announced by this instance; nil where it may announce.
  var standbyReason: UnannouncedReason? {
    switch lease {
    case .holder: nil
    case .standby(let holder): .standby(holder: holder)
    case .unknown: .standby(holder: nil)
    }
  }

  // MARK: - What the cluster is told

  /// Has the Services say what is so now, a moment later.
  func reportSoon() {
    guard session != nil, lease.isHolder, sources.isComplete, !isReportDue, !isDraining else { return }
    isReportDue = true
    Task {
      try? await Task.sleep(for: Self.reportPause)
      await writeReports()
    }
  }

  /// Says at once what was to be said soon. Before a drain, after which nothing more is said.
  func finishReports() async {
    if isReportDue { await writeReports() }
  }

  private func writeReports() async {
    isReportDue = false
    guard let session, lease.isHolder, sources.isComplete, !isDraining, let store = sources.cluster?.store else {
      return
    }
    let reports = ServiceReports(
      plan: plan, record: record, served: served, nodeName: announcementPlanner.nodeName)
    let events = unreported
    unreported = [:]
    await session.write(reports.reports(events: events), store: store)
  }

  /// Keeps what the allocator did for the next report.
  func noteEvents(_ events: [AllocationEvent]) {
    guard session != nil else { return }
    for event in events {
      guard let report = ServiceReport.Event(event) else { continue }
      unreported[NamespacedName(event.service), default: []].append(report)
    }
  }

  /// Keeps which of these Services are served from nodes that they do not want, for the next report.
  func noteLocalPolicy(of services: Set<ServiceName>) {
    guard session != nil, lease.isHolder else { return }
    for name in services {
      guard plan.service(name)?.target.isLocalPolicyNotMet == true else { toldOfLocalPolicy.remove(name); continue }
      guard toldOfLocalPolicy.insert(name).inserted else { continue }
      let node = announcementPlanner.nodeName.map { "node \($0)" } ?? "this node"
      let message = "externalTrafficPolicy: Local is not met: \(node), which has the address, has no endpoint"
      unreported[NamespacedName(name), default: []].append(
        ServiceReport.Event(
          isWarning: true, reason: "LocalPolicyNotMet", message: "\(message); those of all nodes serve"))
    }
  }

  /// Stands back from the Lease where this node may announce nothing, and comes back when it may.
  func judgeCandidacy() {
    guard let session, session.options.lease != nil, sources.isComplete, announcer != nil, !isDraining else { return }
    let isCandidate = !AdvertisementRules(store, nodeName: announcementPlanner.nodeName).excludesNode
    guard isCandidate != self.isCandidate else { return }
    self.isCandidate = isCandidate
    logger.notice(
      isCandidate
        ? "this node may announce again: this instance wants the Lease"
        : "nothing may be announced from this node: this instance stands back from the Lease")
    Task { await session.setCandidate(self.isCandidate) }
  }

  /// Keeps what the announcer did for the next report.
  func noteEvent(_ status: AnnouncementStatus) {
    guard session != nil, let event = ServiceReport.Event(status, nodeName: announcementPlanner.nodeName) else {
      return
    }
    for name in plan.holders[status.address] ?? [] { unreported[NamespacedName(name), default: []].append(event) }
    reportSoon()
  }

  /// Objects that the API server accepted and that cannot be used get an event each.
  private func noteProblems(_ problems: [ManifestProblem]) {
    let known = Set(sources.cluster?.problems ?? [])
    if lease.isHolder { tellProblems(problems.filter { !known.contains($0) }) }
  }

  private func tellProblems(_ problems: [ManifestProblem]) {
    let errors = problems.filter { $0.severity == .error }
    guard let session, !errors.isEmpty else { return }
    Task { await session.tell(errors) }
  }

  /// Keeps which addresses are not announced that should be, and why, where that is new, for the next report.
  func noteUnannounced(since before: AnnouncementPlan) {
    guard lease.isHolder, before != record.plan else { return }
    for (address, verdict) in record.plan.verdicts where before.verdicts[address] != verdict {
      guard case .not(let reason) = verdict else { continue }
      let event = ServiceReport.Event(reason, of: address)
      guard event.isWarning else { continue }
      for name in plan.holders[address] ?? [] { unreported[NamespacedName(name), default: []].append(event) }
    }
  }

  // MARK: - What people see

  /// How things stand with the API server and the Lease.
  var clusterState: AdminState.Cluster? {
    guard let session else { return nil }
    let cluster = sources.cluster
    var state = AdminState.Cluster(
      server: session.options.connection.server, connection: "connecting", isSynced: cluster?.isSynced ?? false,
      notes: cluster?.notes ?? [])
    switch cluster?.connection {
    case .connected(let second):
      state.connection = "connected"
      state.since = RFC3339.text(unixSeconds: second)
    case .unreachable(let second, let reason):
      state.connection = "unreachable"
      state.since = RFC3339.text(unixSeconds: second)
      state.reason = reason
    case .connecting, nil: break
    }
    guard let settings = session.options.lease else { return state }
    var lease = AdminState.Lease(
      name: "\(settings.namespace)/\(settings.name)", identity: settings.identity, role: "unknown")
    switch self.lease {
    case .unknown: break
    case .standby(let holder):
      lease.role = "standby"
      lease.holder = holder
    case .holder(let second, let isVerified):
      lease.role = isVerified ? "holder" : "holder, unverified"
      lease.since = RFC3339.text(unixSeconds: second)
    }
    state.lease = lease
    return state
  }
}

extension NamespacedName {
  init(_ name: ServiceName) { self.init(namespace: name.namespace, name: name.name) }
}
