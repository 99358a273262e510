import Addresses

extension Service {
  /// What the last owner of the Service wrote back (`status`).
  public struct Status: Hashable, Sendable {
    /// `status.loadBalancer.ingress`.
    public var ingress: [Ingress]
    /// `status.conditions`, whoever wrote them.
    public var conditions: [Condition]

    public init(ingress: [Ingress] = [], conditions: [Condition] = []) {
      self.ingress = ingress
      self.conditions = conditions
    }
  }

  /// One address that the Service was given.
  public struct Ingress: Hashable, Sendable {
    /// A port of the address (core/v1 PortStatus).
    public struct Port: Hashable, Sendable {
      public var port: Int
      /// `TCP`, `UDP`, `SCTP`.
      public var `protocol`: String
      /// Why it is not served; nil where it is.
      public var error: String?

      public init(port: Int, protocol: String, error: String? = nil) {
        self.port = port
        self.protocol = `protocol`
        self.error = error
      }
    }

    public var ip: IPAddress?
    public var hostname: String?
    /// `VIP` or `Proxy`; nil where the API server dropped it (before Kubernetes 1.29).
    public var ipMode: String?
    public var ports: [Port]

    public init(ip: IPAddress? = nil, hostname: String? = nil, ipMode: String? = nil, ports: [Port] = []) {
      self.ip = ip
      self.hostname = hostname
      self.ipMode = ipMode
      self.ports = ports
    }
  }

  /// One of `status.conditions` (meta/v1 Condition), kept word for word: most of them are another's.
  public struct Condition: Hashable, Sendable {
    public var type: String
    /// `True`, `False`, `Unknown`.
    public var status: String
    public var reason: String?
    public var message: String?
    /// When ``status`` last changed, RFC 3339.
    public var lastTransitionTime: String?
    /// The `metadata.generation` that it speaks of.
    public var observedGeneration: Int?

    public init(
      type: String, status: String, reason: String? = nil, message: String? = nil, lastTransitionTime: String? = nil,
      observedGeneration: Int? = nil
    ) {
      self.type = type
      self.status = status
      self.reason = reason
      self.message = message
      self.lastTransitionTime = lastTransitionTime
      self.observedGeneration = observedGeneration
    }
  }
}

extension Service.Status {
  static let fieldNames = FieldNames("conditions loadBalancer")
  private static let loadBalancerNames = FieldNames("ingress")
  private static let ingressNames = FieldNames("hostname ip ipMode ports")

  init(_ fields: FieldReader) {
    let ingress = fields.map("loadBalancer", Self.loadBalancerNames) { balancer in
      balancer.maps("ingress", Self.ingressNames) { one in
        Service.Ingress(
          ip: one.address("ip"), hostname: one.string("hostname"), ipMode: one.string("ipMode"),
          ports: Self.list(one.value("ports")).compactMap { Service.Ingress.Port($0) })
      }
    }
    self.init(
      ingress: ingress ?? [], conditions: Self.list(fields.value("conditions")).compactMap { Service.Condition($0) })
  }

  // Ports and conditions only matter for what is written back: one that is odd must not make the Service unusable, so
  // it is left out without a word.
  private static func list(_ value: MarkedValue?) -> [MarkedValue] {
    if case .list(let values)? = value?.content { values } else { [] }
  }
}

extension Service.Ingress.Port {
  fileprivate init?(_ value: MarkedValue) {
    guard case .integer(let port)? = value["port"]?.content else { return nil }
    self.init(port: port, protocol: value["protocol"]?.string ?? "TCP", error: value["error"]?.string)
  }
}

extension Service.Condition {
  fileprivate init?(_ value: MarkedValue) {
    guard let type = value["type"]?.string, let status = value["status"]?.string else { return nil }
    self.init(
      type: type, status: status, reason: value["reason"]?.string, message: value["message"]?.string,
      lastTransitionTime: value["lastTransitionTime"]?.string)
    if case .integer(let generation)? = value["observedGeneration"]?.content { observedGeneration = generation }
  }
}
