import Addresses
import Announcing

/// Addresses that Services are given from (metallb.io/v1beta1).
public struct IPAddressPool: Hashable, Sendable {
  public var metadata: ObjectMeta
  /// `spec.addresses`, in order.
  public var addresses: [IPRange]
  /// False: only Services that ask by address or pool name get one.
  public var autoAssign: Bool
  /// Skips IPv4 addresses that end in .0 or .255.
  public var avoidBuggyIPs: Bool
  /// Which Services the pool is for; nil: all.
  public var serviceAllocation: ServiceAllocation?

  public init(
    metadata: ObjectMeta, addresses: [IPRange], autoAssign: Bool = true, avoidBuggyIPs: Bool = false,
    serviceAllocation: ServiceAllocation? = nil
  ) {
    self.metadata = metadata
    self.addresses = addresses
    self.autoAssign = autoAssign
    self.avoidBuggyIPs = avoidBuggyIPs
    self.serviceAllocation = serviceAllocation
  }

  /// `spec.serviceAllocation`.
  public struct ServiceAllocation: Hashable, Sendable {
    /// Lower numbers win; 0 is the lowest priority of all.
    public var priority: Int
    public var namespaces: [String]
    public var namespaceSelectors: [LabelSelector]
    public var serviceSelectors: [LabelSelector]

    public init(
      priority: Int = 0, namespaces: [String] = [], namespaceSelectors: [LabelSelector] = [],
      serviceSelectors: [LabelSelector] = []
    ) {
      self.priority = priority
      self.namespaces = namespaces
      self.namespaceSelectors = namespaceSelectors
      self.serviceSelectors = serviceSelectors
    }
  }
}

extension IPAddressPool {
  private static let specNames = FieldNames("addresses autoAssign avoidBuggyIPs serviceAllocation")
  private static let allocationNames = FieldNames("namespaceSelectors namespaces priority serviceSelectors")

  init(_ fields: FieldReader, metadata: ObjectMeta) {
    self.init(metadata: metadata, addresses: [])
    fields.map("spec", Self.specNames, required: true) { spec in
      addresses = spec.list("addresses") { spec.range($0) }
      if spec.isEmptyList("addresses") { spec.error("addresses", "must list at least one range") }
      autoAssign = spec.bool("autoAssign") ?? true
      avoidBuggyIPs = spec.bool("avoidBuggyIPs") ?? false
      serviceAllocation = spec.map("serviceAllocation", Self.allocationNames) { allocation in
        let namespaces = allocation.strings("namespaces")
        if Set(namespaces).count < namespaces.count { allocation.error("namespaces", "names one namespace twice") }
        return ServiceAllocation(
          priority: allocation.integer("priority", in: 0...Int(Int32.max)) ?? 0, namespaces: namespaces,
          namespaceSelectors: allocation.maps("namespaceSelectors", LabelSelector.fieldNames) { LabelSelector($0) },
          serviceSelectors: allocation.maps("serviceSelectors", LabelSelector.fieldNames) { LabelSelector($0) })
      }
    }
  }
}
