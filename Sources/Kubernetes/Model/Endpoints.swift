import Addresses

/// The endpoints of the Service of the same name, in the older form (core/v1).
public struct Endpoints: Hashable, Sendable {
  public var metadata: ObjectMeta
  public var subsets: [Subset]

  public init(metadata: ObjectMeta, subsets: [Subset] = []) {
    self.metadata = metadata
    self.subsets = subsets
  }

  /// Addresses that share ports.
  public struct Subset: Hashable, Sendable {
    public var addresses: [Address]
    public var notReadyAddresses: [Address]
    public var ports: [EndpointPort]

    public init(addresses: [Address] = [], notReadyAddresses: [Address] = [], ports: [EndpointPort] = []) {
      self.addresses = addresses
      self.notReadyAddresses = notReadyAddresses
      self.ports = ports
    }
  }

  /// One address of a subset.
  public struct Address: Hashable, Sendable {
    public var ip: IPAddress
    public var hostname: String?
    public var nodeName: String?
    public var targetRef: TargetReference?

    public init(ip: IPAddress, hostname: String? = nil, nodeName: String? = nil, targetRef: TargetReference? = nil) {
      self.ip = ip
      self.hostname = hostname
      self.nodeName = nodeName
      self.targetRef = targetRef
    }
  }
}

extension Endpoints {
  static let fieldNames = FieldNames("apiVersion kind metadata subsets")
  private static let subsetNames = FieldNames("addresses notReadyAddresses ports")
  private static let addressNames = FieldNames("hostname ip nodeName targetRef")

  init(_ fields: FieldReader, metadata: ObjectMeta) {
    func addresses(_ key: String, _ subset: FieldReader) -> [Address] {
      subset.maps(key, Self.addressNames) { one in
        guard let ip = one.address("ip", required: true) else { return nil }
        return Address(
          ip: ip, hostname: one.string("hostname"), nodeName: one.string("nodeName"),
          targetRef: one.map("targetRef", TargetReference.fieldNames) { TargetReference($0) })
      }
    }
    self.init(
      metadata: metadata,
      subsets: fields.maps("subsets", Self.subsetNames) { subset in
        Subset(
          addresses: addresses("addresses", subset), notReadyAddresses: addresses("notReadyAddresses", subset),
          ports: subset.maps("ports", EndpointPort.fieldNames) { EndpointPort($0, isPortRequired: true) })
      })
  }
}
