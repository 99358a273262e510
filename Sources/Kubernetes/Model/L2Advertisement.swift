import Announcing
/// Which pools are announced on the LAN, and where (metallb.io/v1beta1).
public struct L2Advertisement: Hashable, Sendable {
  public var metadata: ObjectMeta
  /// Pools by name; with ``ipAddressPoolSelectors`` empty as well: all pools.
  public var ipAddressPools: [String]
  public var ipAddressPoolSelectors: [LabelSelector]
  /// Empty: all nodes.
  public var nodeSelectors: [LabelSelector]
  /// Empty: all Services.
  public var serviceSelectors: [LabelSelector]
  /// Network interfaces by name; empty: all that fit.
  public var interfaces: [String]
  /// Whether there are `preferredNodeSelectors`, of which no more is read.
  public var hasPreferredNodes = false

  public init(
    metadata: ObjectMeta, ipAddressPools: [String] = [], ipAddressPoolSelectors: [LabelSelector] = [],
    nodeSelectors: [LabelSelector] = [], serviceSelectors: [LabelSelector] = [], interfaces: [String] = []
  ) {
    self.metadata = metadata
    self.ipAddressPools = ipAddressPools
    self.ipAddressPoolSelectors = ipAddressPoolSelectors
    self.nodeSelectors = nodeSelectors
    self.serviceSelectors = serviceSelectors
    self.interfaces = interfaces
  }
}

extension L2Advertisement {
  private static let specNames = FieldNames(
    "interfaces ipAddressPoolSelectors ipAddressPools nodeSelectors preferredNodeSelectors serviceSelectors")

  init(_ fields: FieldReader, metadata: ObjectMeta) {
    self.init(metadata: metadata)
    fields.map("spec", Self.specNames) { spec in
      func selectors(_ key: String) -> [LabelSelector] {
        spec.maps(key, LabelSelector.fieldNames) { LabelSelector($0) }
      }
      ipAddressPools = spec.strings("ipAddressPools")
      if Set(ipAddressPools).count < ipAddressPools.count { spec.error("ipAddressPools", "names one pool twice") }
      ipAddressPoolSelectors = selectors("ipAddressPoolSelectors")
      nodeSelectors = selectors("nodeSelectors")
      serviceSelectors = selectors("serviceSelectors")
      interfaces = spec.strings("interfaces")
      hasPreferredNodes = !spec.isEmptyList("preferredNodeSelectors")
    }
  }
}
