extension ServiceWriter {
  /// Makes one Service say what it should, or finds out why that cannot be now. Begun in the epoch `epoch`.
  func converge(_ name: NamespacedName, _ epoch: Int) async {
    do throws(APIError) {
      guard let entry = entries[name], isCurrent(epoch) else { return }
      if entry.isToBeTold { return await tellOfOther(name) }
      let patch = entry.patch(now: clock.text)
      var version = entry.service.metadata.resourceVersion
      if patch.ingress != nil, entry.isContested(at: clock.uptime()) { return try await yield(name, epoch) }
      if let body = patch.status {
        let answer = try await client.patch("\(path(name))/status?fieldManager=\(Self.fieldManager)", body.bytes)
        guard isCurrent(epoch) else { return }
        version = await accept(patch, of: entry, answer, name)
      }
      if let body = patch.annotations, annotationsDeniedUntil <= clock.uptime(), isCurrent(epoch) {
        version = try await patchAnnotations(name, entry, body, epoch) ?? version
      }
      guard isCurrent(epoch) else { return }
      settle(name, sent: entry, version: version)
    } catch {
      guard isCurrent(epoch) else { return }
      await fail(name, error, epoch)
    }
  }

  /// Whether this instance may still write, and remember what it hears.
  func isCurrent(_ epoch: Int) -> Bool { !isPaused && epoch == self.epoch }

  func path(_ name: NamespacedName) -> String { "/api/v1/namespaces/\(name.namespace)/services/\(name.name)" }

  /// The Service of an answer; nil where it cannot be read.
  static func service(_ answer: [UInt8]) -> Service? {
    guard let entry = try? ManifestContent(answer, file: "answer.json").entries.first,
      case .service(let service) = entry.object
    else { return nil }
    return service
  }

  /// Marks as done what was sent, and no more: the wish, or the Service, may be another by now. `finish` sees to it.
  private func settle(_ name: NamespacedName, sent: WrittenService, version: String?) {
    guard var entry = entries[name], entry.wish == sent.wish else { return }
    // Where the server made something else of it than was sent, the same once more would change nothing.
    guard entry.service.metadata.resourceVersion == version || entry.patch(now: clock.text).isEmpty else { return }
    entry.settle()
    entries[name] = entry
    if entry.wish == nil { forget(name) }
  }

  /// Returns the version of the answer; nil where there is none.
  private func patchAnnotations(
    _ name: NamespacedName, _ sent: WrittenService, _ body: JSONValue, _ epoch: Int
  ) async throws(APIError) -> String? {
    do {
      let answer = try await client.patch("\(path(name))?fieldManager=\(Self.fieldManager)", body.bytes)
      guard isCurrent(epoch) else { return nil }
      return await accept(ServicePatch(annotations: body), of: sent, answer, name)
    } catch {
      guard error.isDenied else { throw error }
      // The status matters more, and has been written: this is tried again with whatever comes after five minutes.
      annotationsDeniedUntil = clock.uptime() + 300
      logOnce("annotations", "the pool's annotation cannot be written: \(error) (RBAC: patch services)")
      return nil
    }
  }

  /// Returns the version of the answer, or of what was sent where it cannot be read.
  private func accept(
    _ patch: ServicePatch, of sent: WrittenService, _ answer: [UInt8], _ name: NamespacedName
  ) async -> String? {
    succeed()
    counts.patches += 1
    let service = Self.service(answer)
    let version = (service ?? sent.service).metadata.resourceVersion
    guard var entry = entries[name] else { return version }
    entry.accept(patch, of: sent, answer: service, at: clock.uptime())
    entry.conflicts = 0
    let isDropped =
      patch.ingress?.contains { $0.ipMode == Service.proxyMode } == true
      && service?.status.ingress.contains { $0.ip != nil && $0.ipMode == nil } == true
    entries[name] = entry
    if isDropped, !serverDropsMode {
      serverDropsMode = true
      log(.warning, "the API server drops ipMode (it is older than 1.29): kube-proxy takes traffic on cluster nodes")
      for name in entries.keys { entries[name]?.memory.serverDropsMode = true }
    }
    if isDropped, let service, toldMode.insert(name).inserted {
      await events.post(Self.modeUnsupported, about: service)
    }
    return version
  }

  private static let modeUnsupported = ServiceReport.Event(
    isWarning: true, reason: "ProxyModeUnsupported",
    message: """
      the API server dropped ipMode: kube-proxy takes this Service's traffic on cluster nodes, past health checks and \
      limits; Kubernetes 1.29 or newer keeps it
      """)

  /// Says that the address is somebody else's, and leaves it.
  private func tellOfOther(_ name: NamespacedName) async {
    guard var entry = entries[name] else { return }
    entry.hasToldOther = true
    entry.settle()
    entries[name] = entry
    let addresses = entry.service.status.ingress.compactMap { $0.ip?.description }.joined(separator: ", ")
    let message = """
      \(addresses) was given by another load balancer, from a pool of its own, and is kept; without the annotation \
      \(Service.poolAnnotation) it is replaced
      """
    log(.warning, "Service/\(name): \(message)")
    await events.post(.init(isWarning: true, reason: "AnotherLoadBalancer", message: message), about: entry.service)
  }

  /// Somebody else has changed what was written here, again. Makes sure, says so, and lets the Service be for a while.
  private func yield(_ name: NamespacedName, _ epoch: Int) async throws(APIError) {
    let answer = try await client.get(path(name))
    guard isCurrent(epoch) else { return }
    succeed()
    if let service = Self.service(answer) { entries[name]?.see(service) }
    // What looked like a change was an old version: `finish` puts it in the queue again.
    guard var entry = entries[name], entry.isContested(at: clock.uptime()) else { return }
    entry.endContest()
    entries[name] = entry
    contested.insert(name)
    wait(name, Self.contestPause)
    let other = Self.otherManager(answer) ?? "another controller"
    let message = """
      \(other) keeps changing this Service's addresses: roadstead leaves them alone for \
      \(Int(Self.contestPause / 60)) minutes
      """
    log(.warning, "Service/\(name): \(message)")
    await events.post(.init(isWarning: true, reason: "AnotherLoadBalancer", message: message), about: entry.service)
  }

  /// Who last wrote the status beside us (`metadata.managedFields`).
  private static func otherManager(_ answer: [UInt8]) -> String? {
    guard let object = try? JSONText.documents(answer).first,
      case .list(let fields)? = object["metadata"]?["managedFields"]?.content
    else { return nil }
    let others = fields.filter {
      $0["subresource"]?.string == "status" && $0["manager"]?.string != fieldManager
    }
    // RFC 3339 in UTC to the second, as the server writes it: text sorts as time.
    let last = others.max { ($0["time"]?.string ?? "") < ($1["time"]?.string ?? "") }
    return last?["manager"]?.string.map { APIError.line(String($0.prefix(128))) }
  }
}
