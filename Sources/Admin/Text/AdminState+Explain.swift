extension AdminState {
  /// What `roadstead explain` prints for one Service: its addresses, who announces them, and for each port where it
  /// listens, which endpoints take traffic, and why not the others.
  ///
  /// Ends with a newline; has no control characters but newlines.
  ///
  /// - Parameters:
  ///   - name: As for ``service(named:)``, which throws.
  ///   - isRunning: Whether it is a process's state; one that is only planned listens nowhere and has counted nothing.
  public func explainText(_ name: String, isRunning: Bool = true) throws(AdminError) -> String {
    let lines: [String]
    do throws(AdminError) {
      let service = try service(named: name)
      lines = service.explanation(isRunning, lost: lingering(of: service.qualifiedName))
    } catch {
      // One that is gone is known as long as its connections are.
      guard let former = formerService(named: name) else { throw error }
      lines = ["\(former)  is no longer served"] + lingering(of: former).flatMap { $0.lines(isRunning) }
    }
    let isDraining = isRunning && readiness == .draining
    let note = isDraining ? ["  draining: no new connections; an address is withdrawn when its last one has ended"] : []
    return (lines.prefix(1) + note + lines.dropFirst()).map { Figures.printable($0) + "\n" }.joined()
  }

  /// The addresses that stay for connections to the Service, which has them no longer.
  private func lingering(of name: String) -> [Address] {
    (announcer?.lingering ?? []).filter { $0.formerServices?.contains(name) == true }
  }

  /// As ``service(named:)``, among those that have lost an address and are gone.
  private func formerService(named text: String) -> String? {
    let names = (announcer?.lingering ?? []).flatMap { $0.formerServices ?? [] }.sorted()
    return names.first { $0 == text } ?? names.first { $0 == "default/\(text)" }
      ?? names.first { $0.hasSuffix("/\(text)") }
  }
}

extension AdminState.Service {
  fileprivate func explanation(_ isRunning: Bool, lost: [AdminState.Address]) -> [String] {
    var lines = ["\(qualifiedName)  \(type)" + (origin.map { "  from \($0)" } ?? "")]
    lines += addresses.flatMap { $0.lines(isRunning) }
    if addresses.isEmpty { lines.append("  address  <pending>: \(waiting ?? "no reason given")") }
    lines += lost.flatMap { $0.lines(isRunning) }
    if !addresses.isEmpty, let waiting { lines.append("  waiting  \(waiting)") }
    lines.append("  balance  \(balance)")
    lines.append("  target   \(target.kind)" + (target.reason.map { ": \($0)" } ?? ""))
    for (name, value) in settings.sorted(by: { $0.key < $1.key }) { lines.append("  setting  \(name): \(value)") }
    for port in ports { lines += port.explanation(isRunning).map { "  \($0)" } }
    if ports.isEmpty { lines.append("  no ports") }
    return lines
  }
}

extension AdminState.Address {
  fileprivate func lines(_ isRunning: Bool) -> [String] {
    ["  address  \(explanation(isRunning))"] + announcementLines.map { "           \($0)" }
  }

  private func explanation(_ isRunning: Bool) -> String {
    let origin = [pool.map { "from pool \($0)" }, reason].compactMap { $0 }.joined(separator: ": ")
    let former = formerServices == nil ? "" : "lingering"
    let announcer =
      (isRunning ? "" : "would be ")
      + (announcedBy.map { "announced by \($0)" } ?? "announced by nobody" + (notAnnounced.map { " (\($0))" } ?? ""))
    return ([address, origin, former, holders(isRunning), announcer].filter { !$0.isEmpty }).joined(separator: ", ")
  }

  /// Which interfaces have it. A plan puts it on none, so that is only said of a process.
  private func holders(_ isRunning: Bool) -> String {
    let names = interfaces ?? [interface].compactMap(\.self)
    if names.isEmpty { return isRunning ? "on no interface" : "" }
    return "on interface\(names.count == 1 ? "" : "s") \(names.joined(separator: ", "))"
  }
}

extension AdminState.Port {
  fileprivate func explanation(_ isRunning: Bool) -> [String] {
    let target = targetPort.isEmpty ? "" : " → \(targetPort)"
    var lines = ["port \(port)/\(transport)\(target)" + (name.isEmpty ? "" : " (\(name))")]
    if isRunning {
      lines.append(listening.isEmpty ? "  listens nowhere" : "  listens at \(listening.joined(separator: ", "))")
    }
    lines += errors.map { "  error: \($0)" }
    let taking = endpoints.filter(\.takesTraffic)
    let resting = endpoints.filter { !$0.takesTraffic }
    lines.append(
      taking.isEmpty
        ? "  no endpoint takes traffic"
        : "  \(Figures.count(taking.count, "endpoint")) \(taking.count == 1 ? "takes" : "take") traffic:")
    lines += Self.table(taking.map { $0.cells(isRunning, isUDP: isUDP) })
    let others =
      resting.map { $0.place + [$0.reason ?? "no reason given"] }
      + excluded.map { [$0.name, $0.address ?? "-", $0.reason] }
    if !others.isEmpty {
      lines.append("  \(others.count) \(others.count == 1 ? "does" : "do") not:")
      lines += Self.table(others)
    } else if endpoints.isEmpty {
      lines.append("  nothing is selected")
    }
    guard isRunning else { return lines }
    lines.append("  \(isUDP ? counters.flowExplanation : counters.explanation)")
    if !counters.closes.isEmpty { lines.append("  \(isUDP ? "ended" : "closed"): \(Figures.list(counters.closes))") }
    if let drops = counters.drops, !drops.isEmpty { lines.append("  dropped: \(Figures.list(drops))") }
    return lines
  }

  private var isUDP: Bool { transport == "UDP" }

  private static func table(_ rows: [[String]]) -> [String] {
    guard let first = rows.first else { return [] }
    var table = TextTable(first)
    for row in rows.dropFirst() { table.add(row) }
    return table.text.split(separator: "\n").map { "    \($0)" }
  }
}

extension AdminState.Endpoint {
  fileprivate var place: [String] { [name, address] }

  fileprivate func cells(_ isRunning: Bool, isUDP: Bool) -> [String] {
    var cells = place + [node.map { "on \($0)" } ?? "", "weight \(weight)"]
    guard isRunning else { return cells }
    cells += ["\(active) active", "\(total) total"]
    cells.append("\(Figures.bytes(bytesIn)) in, \(Figures.bytes(bytesOut)) out")
    if connectFailures > 0 { cells.append(Figures.count(connectFailures, isUDP ? "refusal" : "connect failure")) }
    return cells
  }
}

extension AdminState.Counters {
  fileprivate var flowExplanation: String {
    """
    \(Figures.count(accepted, "flow")), \(active) active, \(Figures.count(datagramsIn ?? 0, "datagram")) in \
    (\(Figures.bytes(bytesIn))), \(datagramsOut ?? 0) out (\(Figures.bytes(bytesOut))), \
    \(Figures.count(connectFailures, "refusal")), \(retries) moved
    """
  }

  fileprivate var explanation: String {
    """
    \(Figures.count(accepted, "connection")), \(active) active, \(Figures.bytes(bytesIn)) in, \
    \(Figures.bytes(bytesOut)) out, \(Figures.count(connectFailures, "connect failure")), \(retries) retried
    """
  }
}
