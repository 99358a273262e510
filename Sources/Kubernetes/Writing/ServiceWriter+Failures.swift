extension ServiceWriter {
  /// Notes that the API server answered.
  func succeed() {
    counts.lastError = nil
    outageDelay = 1
    blockedUntil = 0
    guard isAway else { return }
    isAway = false
    log(.info, "the API server takes writes again")
  }

  /// Decides when, if ever, a Service whose request failed is tried again.
  func fail(_ name: NamespacedName, _ error: APIError, _ epoch: Int) async {
    if error.isConflict { return await conflict(name, error, epoch) }
    counts.failures += 1
    counts.lastError = error.description
    switch error.code {
    // Deleted; the watch will say so too.
    case 404: forget(name)
    case 0, 408, 429, 502, 503, 504: block(error)
    case 401, 403:
      logOnce("denied \(error.code)", "statuses cannot be written: \(error) (RBAC: patch services/status)")
      waitAfterFailure(name, from: 60, to: 600)
    case 500...:
      logOnce("\(error.code) \(error.reason)", "Service/\(name): its status cannot be written: \(error)")
      waitAfterFailure(name, from: 1, to: 30)
    default:
      // The same would be refused again; another report or another version may not be.
      logOnce("\(name) \(error.code)", "Service/\(name): its status was refused: \(error)")
      entries[name]?.settle()
    }
  }

  func logOnce(_ cause: String, _ message: String) {
    // A cause for each Service, at worst; beyond so many nobody reads them.
    guard loggedCauses.count < 1000, loggedCauses.insert(cause).inserted else { return }
    log(.warning, message)
  }

  /// Somebody was quicker: the newest version is fetched, and what differs from it is sent a moment later.
  private func conflict(_ name: NamespacedName, _ error: APIError, _ epoch: Int) async {
    counts.conflicts += 1
    guard var entry = entries[name] else { return }
    entry.conflicts += 1
    let conflicts = entry.conflicts
    entries[name] = entry
    if conflicts > Self.conflictLimit {
      logOnce("\(name) 409", "Service/\(name): changes too fast to write its status: \(error)")
      entries[name]?.conflicts = 0
      return wait(name, 30)
    }
    do throws(APIError) {
      let answer = try await client.get(path(name))
      guard isCurrent(epoch) else { return }
      guard let service = Self.service(answer) else { return wait(name, 30) }
      // Another of the same name: what was wanted was wanted of the one before.
      guard service.metadata.uid == entries[name]?.uid else { return forget(name) }
      entries[name]?.see(service)
      // 0.1, 0.2, 0.4, 0.8, 1.6 seconds.
      wait(name, 0.1 * Double(1 << (conflicts - 1)))
    } catch {
      guard isCurrent(epoch) else { return }
      if error.isConflict { return wait(name, 30) }
      await fail(name, error, epoch)
    }
  }

  /// The API server is away: nothing is sent for a while.
  private func block(_ error: APIError) {
    let now = clock.uptime()
    // Four requests fail at once: that is one failure.
    guard blockedUntil <= now else { return }
    blockedUntil = now + max(outageDelay, error.retryAfter ?? 0)
    outageDelay = min(outageDelay * 2, 30)
    guard !isAway else { return }
    isAway = true
    log(.warning, "statuses wait to be written: \(error)")
  }

  private func waitAfterFailure(_ name: NamespacedName, from first: Double, to last: Double) {
    guard let failures = entries[name]?.failures else { return }
    entries[name]?.failures += 1
    wait(name, min(first * Double(1 << min(failures, 10)), last))
  }
}
