extension AdminState {
  /// What `roadstead status` prints: the Services, the pools, the problems, and a footer with the limits.
  ///
  /// Ends with a newline; has no control characters but newlines.
  public func statusText() -> String {
    var parts = [services.isEmpty ? "no services\n" : serviceTable]
    if !pools.isEmpty { parts.append(poolTable) }
    let problems = sources.flatMap(\.problems)
    if !problems.isEmpty {
      parts.append("problems:\n" + problems.map { "  \(Figures.printable($0.text))\n" }.joined())
    }
    if let lingering = announcer?.lingering, !lingering.isEmpty {
      let lines = lingering.map { "  \(Figures.printable("\($0.address)  \($0.announcedText)"))\n" }
      parts.append("announced still, though no Service has them:\n" + lines.joined())
    }
    parts.append(footer)
    return parts.joined(separator: "\n")
  }

  private var serviceTable: String {
    // Last, where long reasons widen no other column; not at all where an older process tells nothing of it.
    let isAnnouncingTold = services.flatMap(\.addresses).contains { !$0.announcedText.isEmpty }
    var table = TextTable(
      ["NAMESPACE/NAME", "TYPE", "EXTERNAL-IP", "PORT(S)", "ENDPOINTS", "ACTIVE", "TOTAL"]
        + (isAnnouncingTold ? ["ANNOUNCED"] : []))
    for service in services {
      var counters = Counters()
      for port in service.ports { counters += port.counters }
      table.add(
        [
          service.qualifiedName, service.type,
          service.addresses.isEmpty ? "<pending>" : service.addresses.map(\.address).joined(separator: ","),
          service.portsText, service.endpointsText, "\(counters.active)", "\(counters.accepted)",
          isAnnouncingTold ? service.announcedText : "",
        ].map(Figures.printable),
        notes: ([service.waiting].compactMap { $0 } + service.ports.flatMap(\.errors)).map(Figures.printable))
    }
    return table.text
  }

  private var poolTable: String {
    var table = TextTable(["POOL", "RANGES", "ASSIGNED", "TOTAL"])
    for pool in pools {
      table.add([pool.name, pool.ranges.joined(separator: ","), "\(pool.assigned)", pool.total].map(Figures.printable))
    }
    return table.text
  }

  private var footer: String {
    let ready = readiness.isReady ? "ready" : "not ready: \(readiness.reason ?? "no reason given")"
    var lines = ["roadstead \(version), up \(Figures.duration(seconds: uptimeSeconds)), \(ready)"]
    let known = [
      limits.shards.map { Figures.count($0, "shard") },
      limits.openFiles.map { Figures.count($0, "open file") },
      limits.connections.map { Figures.count($0, "connection") },
      limits.udpFlows.map { Figures.count($0, "UDP flow") },
    ].compactMap { $0 }
    if let drops = counters.drops, !drops.isEmpty { lines.append("datagrams dropped: \(Figures.list(drops))") }
    if let cluster { lines += cluster.lines.map(Figures.printable) }
    if let announcer {
      let drops = announcer.drops.isEmpty ? "" : ", dropped of what it heard: \(Figures.list(announcer.drops))"
      lines.append("announcer: \(announcer.name)\(drops)")
    }
    if !known.isEmpty { lines.append("limits: " + known.joined(separator: ", ")) }
    return lines.map { Figures.printable($0) + "\n" }.joined()
  }
}

extension AdminState.Problem {
  /// The description, with `warning:` before the message of one.
  fileprivate var text: String {
    guard severity == .warning else { return description }
    var marked = self
    marked.message = "warning: " + message
    return marked.description
  }
}

extension AdminState.Service {
  /// `8080/TCP,53/UDP`.
  fileprivate var portsText: String {
    ports.isEmpty ? "<none>" : ports.map { "\($0.port)/\($0.transport)" }.joined(separator: ",")
  }

  /// Those that take traffic of all, as `2/3`; for each port where the ports differ.
  fileprivate var endpointsText: String {
    let each = ports.map { port in
      "\(port.endpoints.count { $0.takesTraffic })/\(port.endpoints.count + port.excluded.count)"
    }
    guard let first = each.first else { return "<none>" }
    return each.allSatisfy { $0 == first } ? first : each.joined(separator: ",")
  }
}
