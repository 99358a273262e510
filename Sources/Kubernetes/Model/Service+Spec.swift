import Addresses

extension Service {
  /// What is wanted of a Service (`spec`).
  public struct Spec: Hashable, Sendable {
    public var type: ServiceType
    public var ports: [Port]
    /// Labels that all of the Service's Pods carry; empty: its endpoints are made by hand.
    public var selector: [String: String]
    public var loadBalancerClass: String?
    /// The one address asked for; deprecated in the API, still in use.
    public var loadBalancerIP: IPAddress?
    /// Clients that may connect; empty: all.
    public var loadBalancerSourceRanges: [IPPrefix]
    public var externalTrafficPolicy: ExternalTrafficPolicy
    public var ipFamilies: [IPFamily]
    public var ipFamilyPolicy: IPFamilyPolicy?
    /// The API server's addresses of the Service; a family each. `None` is left out.
    public var clusterIPs: [IPAddress]
    public var publishNotReadyAddresses: Bool
    public var sessionAffinity: SessionAffinity
    /// `sessionAffinityConfig.clientIP.timeoutSeconds`; the API's default is 10800.
    public var sessionAffinityTimeout: Int
    /// `PreferClose`, `PreferSameZone`, `PreferSameNode`, or nil.
    public var trafficDistribution: String?

    public init(
      type: ServiceType = .clusterIP, ports: [Port] = [], selector: [String: String] = [:],
      loadBalancerClass: String? = nil, loadBalancerIP: IPAddress? = nil,
      loadBalancerSourceRanges: [IPPrefix] = [], externalTrafficPolicy: ExternalTrafficPolicy = .cluster,
      ipFamilies: [IPFamily] = [], ipFamilyPolicy: IPFamilyPolicy? = nil, clusterIPs: [IPAddress] = [],
      publishNotReadyAddresses: Bool = false, sessionAffinity: SessionAffinity = .none,
      sessionAffinityTimeout: Int = 10800, trafficDistribution: String? = nil
    ) {
      self.type = type
      self.ports = ports
      self.selector = selector
      self.loadBalancerClass = loadBalancerClass
      self.loadBalancerIP = loadBalancerIP
      self.loadBalancerSourceRanges = loadBalancerSourceRanges
      self.externalTrafficPolicy = externalTrafficPolicy
      self.ipFamilies = ipFamilies
      self.ipFamilyPolicy = ipFamilyPolicy
      self.clusterIPs = clusterIPs
      self.publishNotReadyAddresses = publishNotReadyAddresses
      self.sessionAffinity = sessionAffinity
      self.sessionAffinityTimeout = sessionAffinityTimeout
      self.trafficDistribution = trafficDistribution
    }
  }

  /// `spec.type`.
  public enum ServiceType: String, Hashable, Sendable, CaseIterable {
    case clusterIP = "ClusterIP"
    case nodePort = "NodePort"
    case loadBalancer = "LoadBalancer"
    case externalName = "ExternalName"
  }

  /// `spec.externalTrafficPolicy`.
  public enum ExternalTrafficPolicy: String, Hashable, Sendable, CaseIterable {
    case cluster = "Cluster"
    case local = "Local"
  }

  /// One of `spec.ipFamilies`.
  public enum IPFamily: String, Hashable, Sendable, CaseIterable {
    case v4 = "IPv4"
    case v6 = "IPv6"

    public var family: IPAddress.Family { self == .v4 ? .v4 : .v6 }
  }

  /// `spec.ipFamilyPolicy`.
  public enum IPFamilyPolicy: String, Hashable, Sendable, CaseIterable {
    case singleStack = "SingleStack"
    case preferDualStack = "PreferDualStack"
    case requireDualStack = "RequireDualStack"
  }

  /// `spec.sessionAffinity`.
  public enum SessionAffinity: String, Hashable, Sendable, CaseIterable {
    case none = "None"
    case clientIP = "ClientIP"
  }
}

extension Service.Spec {
  static let fieldNames = FieldNames(
    """
    allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy \
    healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP \
    loadBalancerSourceRanges ports publishNotReadyAddresses selector sessionAffinity sessionAffinityConfig \
    topologyKeys trafficDistribution type
    """)
  private static let affinityConfigNames = FieldNames("clientIP")
  private static let clientIPNames = FieldNames("timeoutSeconds")

  init(_ fields: FieldReader) {
    self.init(
      type: fields.choice("type", Service.ServiceType.self) ?? .clusterIP,
      ports: fields.maps("ports", Service.Port.fieldNames) { Service.Port($0) },
      selector: fields.stringMap("selector"), loadBalancerClass: fields.string("loadBalancerClass"),
      loadBalancerIP: fields.address("loadBalancerIP"),
      loadBalancerSourceRanges: fields.list("loadBalancerSourceRanges") { fields.prefix($0) },
      externalTrafficPolicy: fields.choice("externalTrafficPolicy", Service.ExternalTrafficPolicy.self) ?? .cluster,
      ipFamilies: fields.choices("ipFamilies", Service.IPFamily.self),
      ipFamilyPolicy: fields.choice("ipFamilyPolicy", Service.IPFamilyPolicy.self),
      clusterIPs: Self.clusterIPs(fields), publishNotReadyAddresses: fields.bool("publishNotReadyAddresses") ?? false,
      sessionAffinity: fields.choice("sessionAffinity", Service.SessionAffinity.self) ?? .none,
      trafficDistribution: fields.string("trafficDistribution"))
    let timeout = fields.map("sessionAffinityConfig", Self.affinityConfigNames) { config in
      config.map("clientIP", Self.clientIPNames) { $0.integer("timeoutSeconds", in: 1...86400) }
    }
    if let timeout, let timeout, let timeout { sessionAffinityTimeout = timeout }
    checkPorts(fields)
    if Set(ipFamilies).count < ipFamilies.count { fields.error("ipFamilies", "names one family twice") }
  }

  // `clusterIP` is the first of `clusterIPs`; older manifests have it alone. "None" and "" are no addresses.
  private static func clusterIPs(_ fields: FieldReader) -> [IPAddress] {
    let read: (MarkedValue) -> IPAddress? = { value in
      if case .string(let text) = value.content, text == "None" || text.isEmpty { return nil }
      return fields.address(value)
    }
    let all = fields.list("clusterIPs", read)
    guard all.isEmpty, let value = fields.value("clusterIP") else { return all }
    return fields.at("clusterIP") { read(value) }.map { [$0] } ?? []
  }

  private func checkPorts(_ fields: FieldReader) {
    guard type == .loadBalancer || !ports.isEmpty else { return }
    if ports.isEmpty {
      if fields.isEmptyList("ports") { fields.error("ports", "must list at least one port") }
      return
    }
    guard ports.count > 1 else { return }
    var names: Set<String> = []
    var numbers: Set<[String]> = []
    for (index, port) in ports.enumerated() {
      if port.name.isEmpty {
        fields.error("ports", index: index, "name", "is required where a Service has more than one port")
      } else if !names.insert(port.name).inserted {
        fields.error("ports", index: index, "name", "'\(port.name)' names two ports")
      }
      if port.port > 0, !numbers.insert([port.protocol.rawValue, "\(port.port)"]).inserted {
        fields.error("ports", index: index, "port", "\(port.port)/\(port.protocol.rawValue) appears twice")
      }
    }
  }
}
