import Addresses

/// What to send so that a Service says what it should: merge patches (RFC 7386), each with only what differs.
///
/// Pure: the Service as it is and what is wanted go in, at most two bodies come out.
struct ServicePatch: Hashable, Sendable {
  /// What this process knows beyond the Service itself.
  struct Memory: Hashable, Sendable {
    /// The addresses that it has written to this Service.
    var addresses: Set<IPAddress> = []
    /// Whether it has written anything to this Service.
    var hasWritten = false
    /// Whether the API server is known to drop `ipMode` (before Kubernetes 1.29): its absence is no difference then.
    var serverDropsMode = false
  }

  /// For `/status`. With `metadata.resourceVersion`, so that the server refuses it (409) where somebody was quicker.
  var status: JSONValue?
  /// For the object. Without a version, which the patch of the status has just changed: its one key is ours alone.
  var annotations: JSONValue?
  /// `status.loadBalancer.ingress` as it is to be; nil where it is left alone.
  var ingress: [Service.Ingress]?

  /// A patch of annotations alone.
  init(annotations: JSONValue) { self.annotations = annotations }

  var isEmpty: Bool { status == nil && annotations == nil }

  /// Makes `service` say what `report` says. `now` is RFC 3339, for conditions that change.
  init(_ report: ServiceReport, on service: Service, memory: Memory = Memory(), now: String) {
    guard memory.hasWritten || !service.isHeldByAnother(than: report.addresses) else { return }
    let ports = report.ports.map { Service.Ingress.Port(port: Int($0.port), protocol: $0.transport, error: $0.error) }
    var wanted = report.addresses.map { Service.Ingress(ip: $0, ipMode: Service.proxyMode, ports: ports) }
    let others = Self.others(in: service, memory)
    // Without an address of our own there is no reason to take away another's.
    if wanted.isEmpty { wanted = others }
    setStatus(
      service, ingress: wanted, conditions: Self.conditions(report, service, now: now),
      memory: memory)
    setPool(report.addresses.isEmpty && !others.isEmpty ? service.poolName : report.pool, on: service)
  }

  /// Takes away what is ours, here or from an earlier process, and nothing else.
  init(cleaning service: Service, memory: Memory = Memory()) {
    guard memory.hasWritten || service.carriesMarks else { return }
    let others = Self.others(in: service, memory)
    setStatus(
      service, ingress: others, conditions: service.status.conditions.filter { !$0.isOurs }, memory: memory)
    // With another's address goes another's annotation.
    if others.isEmpty { setPool(nil, on: service) }
  }

  /// The addresses that somebody else wrote.
  private static func others(in service: Service, _ memory: Memory) -> [Service.Ingress] {
    let isMarked = service.hasOurAddresses
    return service.status.ingress.filter { one in
      guard let ip = one.ip, one.ipMode == nil || one.ipMode == Service.proxyMode else { return true }
      return !isMarked && !memory.addresses.contains(ip)
    }
  }

  /// Others' conditions as they are and where they are, ours in the place of ours, new ones at the end.
  private static func conditions(_ report: ServiceReport, _ service: Service, now: String) -> [Service.Condition] {
    var wanted: [String: Service.Condition] = [:]
    for condition in report.conditions {
      wanted[condition.type] = Service.Condition(
        type: condition.type, status: condition.isTrue ? "True" : "False",
        // meta/v1 demands a reason.
        reason: condition.reason.isEmpty ? "Unknown" : condition.reason,
        message: condition.message.truncated(toBytes: Self.longestMessage), lastTransitionTime: now)
    }
    var conditions: [Service.Condition] = []
    for old in service.status.conditions {
      guard old.isOurs || wanted[old.type] != nil else {
        conditions.append(old)
        continue
      }
      guard var new = wanted.removeValue(forKey: old.type) else { continue }
      if new.status == old.status, let time = old.lastTransitionTime { new.lastTransitionTime = time }
      conditions.append(new)
    }
    for condition in report.conditions {
      if let new = wanted.removeValue(forKey: condition.type) { conditions.append(new) }
    }
    return conditions
  }

  /// Bytes of a condition's message (meta/v1 Condition).
  private static let longestMessage = 32768

  private mutating func setStatus(
    _ service: Service, ingress: [Service.Ingress], conditions: [Service.Condition], memory: Memory
  ) {
    var fields: [String: JSONValue] = [:]
    let isSame =
      ingress.count == service.status.ingress.count
      && zip(ingress, service.status.ingress).allSatisfy { wanted, current in
        var wanted = wanted
        if memory.serverDropsMode, current.ipMode == nil { wanted.ipMode = nil }
        return wanted == current
      }
    if !isSame {
      self.ingress = ingress
      fields["loadBalancer"] = ["ingress": ingress.isEmpty ? .null : .list(ingress.map(\.json))]
    }
    if conditions != service.status.conditions {
      // A merge patch replaces a list as a whole.
      fields["conditions"] = conditions.isEmpty ? .null : .list(conditions.map(\.json))
    }
    guard !fields.isEmpty else { return }
    status = ["metadata": Self.metadata(service, withVersion: true), "status": .map(fields)]
  }

  private mutating func setPool(_ pool: String?, on service: Service) {
    guard service.poolName != pool else { return }
    guard case .map(var metadata) = Self.metadata(service, withVersion: false) else { return }
    metadata["annotations"] = [Service.poolAnnotation: pool.map { .string($0) } ?? .null]
    annotations = ["metadata": .map(metadata)]
  }

  // The uid makes sure that a Service of the same name that came later is not meant (409).
  private static func metadata(_ service: Service, withVersion: Bool) -> JSONValue {
    var fields: [String: JSONValue] = [:]
    if let uid = service.metadata.uid { fields["uid"] = .string(uid) }
    if withVersion, let version = service.metadata.resourceVersion { fields["resourceVersion"] = .string(version) }
    return .map(fields)
  }
}

extension Service {
  fileprivate var poolName: String? { metadata.annotations[Self.poolAnnotation] }
}

extension Service.Ingress {
  fileprivate var json: JSONValue {
    var fields: [String: JSONValue] = [:]
    if let ip { fields["ip"] = .string(ip.description) }
    if let hostname { fields["hostname"] = .string(hostname) }
    if let ipMode { fields["ipMode"] = .string(ipMode) }
    if !ports.isEmpty {
      fields["ports"] = .list(
        ports.map { port in
          var fields: [String: JSONValue] = ["port": .integer(port.port), "protocol": .string(port.protocol)]
          if let error = port.error { fields["error"] = .string(error) }
          return .map(fields)
        })
    }
    return .map(fields)
  }
}

extension Service.Condition {
  fileprivate var json: JSONValue {
    var fields: [String: JSONValue] = ["type": .string(type), "status": .string(status)]
    if let reason { fields["reason"] = .string(reason) }
    if let message { fields["message"] = .string(message) }
    if let lastTransitionTime { fields["lastTransitionTime"] = .string(lastTransitionTime) }
    if let observedGeneration { fields["observedGeneration"] = .integer(observedGeneration) }
    return .map(fields)
  }
}

extension String {
  /// At most so many bytes of UTF-8, ended by `…` where something was cut off.
  func truncated(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var text = ""
    var count = "…".utf8.count
    for scalar in unicodeScalars {
      count += UTF8.width(scalar)
      if count > limit { break }
      text.unicodeScalars.append(scalar)
    }
    return text + "…"
  }
}
