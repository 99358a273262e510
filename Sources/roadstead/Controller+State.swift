import Admin

extension Controller {
  /// The same as ``state(startedAt:)``, with what only the kernel knows until it is asked.
  nonisolated func freshState(startedAt: Int) async -> AdminState {
    await plane.countKernelDrops()
    await refreshAnnouncements()
    return await state(startedAt: startedAt)
  }

  /// Everything that `status`, `explain` and `/api/v1/state` tell, as of now. Made while the controller goes on.
  nonisolated func state(startedAt: Int) async -> AdminState {
    await stateSources.state(startedAt: startedAt)
  }

  private var stateSources: StateSources {
    StateSources(
      uptime: uptime, readiness: readiness, shards: plane.shardCount, flowLimit: plane.flowLimit, manifests: manifests,
      plan: plan, snapshot: snapshot, fixedPorts: fixedPorts, served: served, record: record,
      formerServices: lingering.asked, announcer: announcer?.name, cluster: clusterState)
  }

  /// Whether all that was read and asked for is served.
  var readiness: AdminState.Readiness {
    if isDraining { return .draining }
    if let missing = sources.missing { return .notReady(missing) }
    if manifests == nil, session == nil, fixedPorts.isEmpty { return .notReady("no manifest has been read") }
    if let failure = served.failures.values.map(\.description).sorted().first { return .notReady(failure) }
    return .ready
  }
}
