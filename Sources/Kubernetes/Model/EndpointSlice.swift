import Addresses

/// A part of a Service's endpoints (discovery.k8s.io/v1).
public struct EndpointSlice: Hashable, Sendable {
  /// The label that names the Service.
  public static let serviceNameLabel = "kubernetes.io/service-name"

  public var metadata: ObjectMeta
  public var addressType: AddressType
  public var endpoints: [Endpoint]
  public var ports: [EndpointPort]

  public init(
    metadata: ObjectMeta, addressType: AddressType = .v4, endpoints: [Endpoint] = [], ports: [EndpointPort] = []
  ) {
    self.metadata = metadata
    self.addressType = addressType
    self.endpoints = endpoints
    self.ports = ports
  }

  /// The Service that the slice belongs to; nil without the label.
  public var service: NamespacedName? {
    metadata.labels[Self.serviceNameLabel].map { NamespacedName(namespace: metadata.namespace, name: $0) }
  }

  /// `addressType`.
  public enum AddressType: String, Hashable, Sendable, CaseIterable {
    case v4 = "IPv4"
    case v6 = "IPv6"
    case fqdn = "FQDN"
  }

  /// One of `endpoints`.
  public struct Endpoint: Hashable, Sendable {
    /// Interchangeable addresses: the first one is used. Empty in a slice of type FQDN.
    public var addresses: [IPAddress]
    /// nil means ready, as the API says.
    public var ready: Bool?
    /// nil means as ``ready``.
    public var serving: Bool?
    /// nil means no.
    public var terminating: Bool?
    public var hostname: String?
    public var nodeName: String?
    public var zone: String?
    public var targetRef: TargetReference?
    /// `hints.forZones`.
    public var forZones: [String]
    /// `hints.forNodes`.
    public var forNodes: [String]

    public init(
      addresses: [IPAddress], ready: Bool? = nil, serving: Bool? = nil, terminating: Bool? = nil,
      hostname: String? = nil, nodeName: String? = nil, zone: String? = nil, targetRef: TargetReference? = nil,
      forZones: [String] = [], forNodes: [String] = []
    ) {
      self.addresses = addresses
      self.ready = ready
      self.serving = serving
      self.terminating = terminating
      self.hostname = hostname
      self.nodeName = nodeName
      self.zone = zone
      self.targetRef = targetRef
      self.forZones = forZones
      self.forNodes = forNodes
    }
  }
}

extension EndpointSlice {
  static let fieldNames = FieldNames("addressType apiVersion endpoints kind metadata ports")

  init(_ fields: FieldReader, metadata: ObjectMeta) {
    let type = fields.choice("addressType", AddressType.self, required: true) ?? .v4
    self.init(
      metadata: metadata, addressType: type,
      endpoints: fields.maps("endpoints", Endpoint.fieldNames) { Endpoint($0, type) },
      ports: fields.maps("ports", EndpointPort.fieldNames) { EndpointPort($0, isPortRequired: false) })
  }
}

extension EndpointSlice.Endpoint {
  static let fieldNames = FieldNames(
    "addresses conditions deprecatedTopology hints hostname nodeName targetRef zone")
  private static let conditionNames = FieldNames("ready serving terminating")
  private static let hintNames = FieldNames("forNodes forZones")
  private static let hintNameNames = FieldNames("name")

  init(_ fields: FieldReader, _ type: EndpointSlice.AddressType) {
    self.init(addresses: [])
    switch type {
    case .fqdn: _ = fields.strings("addresses")
    case .v4, .v6:
      addresses = fields.list("addresses") { value in
        guard let address = fields.address(value) else { return nil }
        if (address.family == .v4) != (type == .v4) {
          fields.reading.error(value.line, "\(address) is not of addressType \(type.rawValue)")
        }
        return address
      }
    }
    if fields.isEmptyList("addresses") { fields.error("addresses", "must list at least one address") }
    fields.map("conditions", Self.conditionNames) { conditions in
      ready = conditions.bool("ready")
      serving = conditions.bool("serving")
      terminating = conditions.bool("terminating")
    }
    hostname = fields.string("hostname")
    nodeName = fields.string("nodeName")
    zone = fields.string("zone")
    targetRef = fields.map("targetRef", TargetReference.fieldNames) { TargetReference($0) }
    fields.map("hints", Self.hintNames) { hints in
      forZones = hints.maps("forZones", Self.hintNameNames) { $0.string("name", required: true) }
      forNodes = hints.maps("forNodes", Self.hintNameNames) { $0.string("name", required: true) }
    }
  }
}
