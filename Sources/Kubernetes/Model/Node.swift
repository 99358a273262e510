import Addresses

/// A Node (core/v1), as far as a load balancer looks at it.
public struct Node: Hashable, Sendable {
  /// The label that keeps load balancers away from a node, whatever its value.
  public static let excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers"
  /// The label that names a node's zone.
  public static let zoneLabel = "topology.kubernetes.io/zone"

  public var metadata: ObjectMeta
  /// `status.addresses`: those that are IP addresses.
  public var addresses: [Address]
  /// `status.conditions`.
  public var conditions: [Condition]

  public init(metadata: ObjectMeta, addresses: [Address] = [], conditions: [Condition] = []) {
    self.metadata = metadata
    self.addresses = addresses
    self.conditions = conditions
  }

  /// One of `status.addresses`.
  public struct Address: Hashable, Sendable {
    /// `InternalIP` or `ExternalIP`; host names are left out.
    public var type: String
    public var address: IPAddress

    public init(type: String, address: IPAddress) {
      self.type = type
      self.address = address
    }
  }

  /// The `Ready` condition; nil where the Node has none, which counts as ready.
  public var ready: Condition? { conditions.first { $0.type == "Ready" } }

  /// Whether its label keeps load balancers away from it.
  public var isExcludedFromLoadBalancers: Bool { metadata.labels[Self.excludeLabel] != nil }

  /// Whether the condition `NetworkUnavailable` holds: its routes are not set up, as a cloud or CNI says.
  public var isNetworkUnavailable: Bool {
    conditions.contains { $0.type == "NetworkUnavailable" && $0.status == .true }
  }

  /// The zone that its label names.
  public var zone: String? { metadata.labels[Self.zoneLabel] }
}

extension Node {
  private static let statusNames = FieldNames(
    """
    addresses allocatable capacity conditions config daemonEndpoints declaredFeatures features images nodeInfo phase \
    runtimeHandlers volumesAttached volumesInUse
    """)
  private static let addressNames = FieldNames("address type")
  private static let addressTypes = ["ExternalDNS", "ExternalIP", "Hostname", "InternalDNS", "InternalIP"]

  init(_ fields: FieldReader, metadata: ObjectMeta) {
    self.init(metadata: metadata)
    fields.map("status", Self.statusNames) { status in
      addresses = status.maps("addresses", Self.addressNames) { one in
        guard let type = one.string("type", required: true) else { return nil }
        guard Self.addressTypes.contains(type) else {
          one.error("type", "must be one of \(Self.addressTypes.joined(separator: ", ")), not '\(type)'")
          return nil
        }
        guard type.hasSuffix("IP") else { return nil }
        return one.address("address", required: true).map { Address(type: type, address: $0) }
      }
      conditions = status.maps("conditions", Condition.fieldNames) { Condition($0) }
    }
  }
}
