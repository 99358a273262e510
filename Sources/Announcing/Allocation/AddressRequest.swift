import Addresses

/// What the allocator has to know of one Service of `type: LoadBalancer`.
public struct AddressRequest: Hashable, Sendable {
  /// `ipFamilyPolicy` of a Service; raw values are the API's words.
  public enum FamilyPolicy: String, Hashable, Sendable, CaseIterable {
    /// One address, of the first family.
    case singleStack = "SingleStack"
    /// One of each family if that can be; else one.
    case preferDualStack = "PreferDualStack"
    /// One of each family, or none.
    case requireDualStack = "RequireDualStack"
  }

  /// A transport protocol with a port; TCP and UDP ports never clash.
  public struct Port: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Raw values are the API's words.
    public enum Transport: String, Hashable, Sendable, CaseIterable {
      case tcp = "TCP"
      case udp = "UDP"
      case sctp = "SCTP"
    }

    public let transport: Transport
    /// 1 to 65535.
    public let number: UInt16

    public init(_ transport: Transport, _ number: UInt16) {
      self.transport = transport
      self.number = number
    }

    public static func < (a: Port, b: Port) -> Bool {
      a.number == b.number ? a.transport.rawValue < b.transport.rawValue : a.number < b.number
    }

    /// `TCP/80`.
    public var description: String { "\(transport.rawValue)/\(number)" }
  }

  public var id: ServiceName
  /// The Service's own labels.
  public var labels: [String: String]
  /// The labels of its namespace.
  public var namespaceLabels: [String: String]
  /// The families of its cluster IPs (or `ipFamilies`), the preferred one first.
  public var families: [IPAddress.Family]
  public var familyPolicy: FamilyPolicy
  /// The addresses it asks for, one of a family at most; a family without one is served from the same pool.
  public var requestedAddresses: [IPAddress]
  /// The pool it asks for by annotation.
  public var requestedPool: String?
  /// Why what it asks for cannot be understood: it keeps what it has and gets nothing new.
  public var invalid: AllocationRefusal?
  /// `metallb.io/allow-shared-ip`; nil or empty shares with nobody.
  public var sharingKey: String?
  public var ports: Set<Port>
  /// With `externalTrafficPolicy: Local` the text of its selector, else empty. Sharers must agree on it.
  public var localPolicySelector: String
  /// What it had before this process, from its status or the ``AllocationStore``.
  ///
  /// Looked at when the allocator meets the Service for the first time, and not after.
  public var current: [IPAddress]

  public init(
    id: ServiceName, labels: [String: String] = [:], namespaceLabels: [String: String] = [:],
    families: [IPAddress.Family] = [.v4], familyPolicy: FamilyPolicy = .singleStack,
    requestedAddresses: [IPAddress] = [], requestedPool: String? = nil, invalid: AllocationRefusal? = nil,
    sharingKey: String? = nil, ports: Set<Port> = [], localPolicySelector: String = "", current: [IPAddress] = []
  ) {
    self.id = id
    self.labels = labels
    self.namespaceLabels = namespaceLabels
    self.families = families
    self.familyPolicy = familyPolicy
    self.requestedAddresses = requestedAddresses
    self.requestedPool = requestedPool
    self.invalid = invalid
    self.sharingKey = sharingKey
    self.ports = ports
    self.localPolicySelector = localPolicySelector
    self.current = current
  }

  /// The families to serve, in order of preference.
  public var wantedFamilies: [IPAddress.Family] {
    guard let first = families.first else { return [] }
    guard familyPolicy != .singleStack, let second = families.first(where: { $0 != first }) else { return [first] }
    return [first, second]
  }

  /// The address it asks for in `family`.
  public func requestedAddress(_ family: IPAddress.Family) -> IPAddress? {
    requestedAddresses.first { $0.family == family }
  }

  /// What is wrong with the request itself, whatever the pools are.
  public var refusal: AllocationRefusal? {
    if let invalid { return invalid }
    let wanted = wantedFamilies
    guard let first = wanted.first else { return .noFamily }
    if familyPolicy == .requireDualStack, wanted.count < 2 { return .oneFamilyOnly(first) }
    for (index, address) in requestedAddresses.enumerated() {
      if !wanted.contains(address.family) { return .wrongFamily(address, wanted: wanted) }
      if let twin = requestedAddresses[..<index].first(where: { $0.family == address.family }) {
        return .twoOfOneFamily(twin, address)
      }
    }
    return nil
  }

  /// The sharing key, where there is one.
  var effectiveSharingKey: String? {
    guard let sharingKey, !sharingKey.isEmpty else { return nil }
    return sharingKey
  }

  /// Whether `pool` is for this Service.
  func isAdmitted(by pool: AddressPool) -> Bool {
    pool.admits(namespace: id.namespace, namespaceLabels: namespaceLabels, labels: labels)
  }
}
