import Addresses

/// One IPAddressPool, as its manifest says.
///
/// Source: MetalLB's `metallb.io/v1beta1` IPAddressPool.
public struct AddressPool: Hashable, Sendable {
  /// The annotation with which a Service asks for a pool by name.
  public static let annotation = "metallb.io/address-pool"

  public var name: String
  /// The addresses, in the manifest's order; the lowest free one is given first, whatever this order.
  public var ranges: [IPRange]
  /// Whether Services that ask neither for an address nor for this pool may get one from it.
  public var autoAssign: Bool
  /// Whether IPv4 addresses that end in .0 or .255 are left out.
  public var avoidBuggyIPs: Bool
  /// Which Services the pool is for; nil is all.
  public var allocation: ServiceAllocation?
  /// The object's labels, for the selectors of L2Advertisements.
  public var labels: [String: String]

  public init(
    name: String, ranges: [IPRange], autoAssign: Bool = true, avoidBuggyIPs: Bool = false,
    allocation: ServiceAllocation? = nil, labels: [String: String] = [:]
  ) {
    self.name = name
    self.ranges = ranges
    self.autoAssign = autoAssign
    self.avoidBuggyIPs = avoidBuggyIPs
    self.allocation = allocation
    self.labels = labels
  }

  /// Whether a Service of these labels in this namespace may have an address of the pool.
  public func admits(namespace: String, namespaceLabels: [String: String], labels: [String: String]) -> Bool {
    allocation?.admits(namespace: namespace, namespaceLabels: namespaceLabels, labels: labels) ?? true
  }

  /// Whether the pool leaves `address` out although a range holds it.
  public func avoids(_ address: IPAddress) -> Bool {
    avoidBuggyIPs && address.family == .v4 && Self.isBuggy(address.bits)
  }

  /// Whether the IPv4 address `bits` ends in .0 or .255.
  static func isBuggy(_ bits: UInt128) -> Bool {
    let octet = UInt8(truncatingIfNeeded: bits)
    return octet == 0 || octet == 255
  }
}

/// `serviceAllocation` of an IPAddressPool: which Services it is for, and before which other pools.
///
/// A Service is admitted when its namespace is named or selected, where there is either list, and when one of the
/// service selectors matches, where there are any. Without any list all Services are.
public struct ServiceAllocation: Hashable, Sendable {
  /// 1 is first; 0, the default, is last. Equals go by the pool's name.
  public var priority: Int
  public var namespaces: Set<String>
  public var namespaceSelectors: [LabelSelector]
  public var serviceSelectors: [LabelSelector]

  public init(
    priority: Int = 0, namespaces: Set<String> = [], namespaceSelectors: [LabelSelector] = [],
    serviceSelectors: [LabelSelector] = []
  ) {
    self.priority = priority
    self.namespaces = namespaces
    self.namespaceSelectors = namespaceSelectors
    self.serviceSelectors = serviceSelectors
  }

  /// Whether a Service of these labels in this namespace is among those meant.
  public func admits(namespace: String, namespaceLabels: [String: String], labels: [String: String]) -> Bool {
    let isNamespaceMeant =
      (namespaces.isEmpty && namespaceSelectors.isEmpty) || namespaces.contains(namespace)
      || namespaceSelectors.contains { $0.matches(namespaceLabels) }
    return isNamespaceMeant && (serviceSelectors.isEmpty || serviceSelectors.contains { $0.matches(labels) })
  }
}
