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
    try service(named: name).explanation(isRunning).map { Figures.printable($0) + "\n" }.joined()
  }
}

extension AdminState.Service {
  fileprivate func explanation(_ isRunning: Bool) -> [String] {
    var lines = ["\(qualifiedName)  \(type)" + (origin.map { "  from \($0)" } ?? "")]
    for address in addresses {
      lines.append("  address  \(address.explanation(isRunning))")
      lines += address.announcementLines.map { "           \($0)" }
    }
    if addresses.isEmpty { lines.append("  address  <pending>: \(waiting ?? "no reason given")") }
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
  fileprivate func explanation(_ isRunning: Bool) -> String {
    let origin = [pool.map { "from pool \($0)" }, reason].compactMap { $0 }.joined(separator: ": ")
    let holder = interface.map { "on interface \($0)" } ?? "on no interface"
    let announcer =
      (isRunning ? "" : "would be ")
      + (announcedBy.map { "announced by \($0)" } ?? "announced by nobody" + (notAnnounced.map { " (\($0))" } ?? ""))
    return ([address, origin, holder, announcer].filter { !$0.isEmpty }).joined(separator: ", ")
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
