import Addresses

/// Why a Service gets no address, or none of one family. Worded so that one knows what to change.
public enum AllocationRefusal: Error, Hashable, Sendable {
  /// There is no pool at all.
  case noPools
  /// There are pools, and none may serve this Service unasked.
  case noPoolOpen([PoolClosure])
  /// All pools that may serve it are in use.
  case poolsFull([PoolUsage])
  /// The pools that may serve it have no addresses of the family.
  case familyAbsent(IPAddress.Family, pools: [String])
  /// RequireDualStack, and none of the pools that may serve it has both families.
  case bothFamiliesAbsent(pools: [String])
  /// The pool it asks for does not exist.
  case unknownPool(String, known: [String])
  /// The pool it asks for is there but was refused itself.
  case poolRefused(PoolProblem)
  /// The pool's serviceAllocation is for others.
  case poolNotForService(String)
  case addressInNoPool(IPAddress)
  /// It asks for an address and for a pool, and they disagree.
  case addressOutsideRequestedPool(IPAddress, pool: String, requested: String)
  /// The address ends in .0 or .255 and the pool avoids these.
  case addressAvoided(IPAddress, pool: String)
  case addressHeld(IPAddress, SharingConflict)
  /// Both addresses of a dual-stack Service come from one pool.
  case addressesInTwoPools(AddressAssignment, AddressAssignment)
  case wrongFamily(IPAddress, wanted: [IPAddress.Family])
  case twoOfOneFamily(IPAddress, IPAddress)
  case notAnAddress(String)
  /// Both the annotation and spec.loadBalancerIP are set.
  case askedTwice(annotation: String, field: String)
  /// The Service has no cluster IP and no family.
  case noFamily
  /// RequireDualStack with one family.
  case oneFamilyOnly(IPAddress.Family)

  /// Whether the request itself is wrong, whatever the pools and the other Services are.
  public var isRequestInvalid: Bool {
    switch self {
    case .wrongFamily, .twoOfOneFamily, .notAnAddress, .askedTwice, .noFamily, .oneFamilyOnly: true
    case .noPools, .noPoolOpen, .poolsFull, .familyAbsent, .bothFamiliesAbsent, .unknownPool, .poolRefused,
      .poolNotForService, .addressInNoPool, .addressOutsideRequestedPool, .addressAvoided, .addressHeld,
      .addressesInTwoPools:
      false
    }
  }
}

/// Why a pool serves a Service not unasked.
public struct PoolClosure: Hashable, Sendable {
  public enum Cause: Hashable, Sendable {
    /// `autoAssign: false`.
    case manual
    /// Its serviceAllocation is for others.
    case forOthers
  }

  public let pool: String
  public let cause: Cause
}

extension AllocationRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noPools: return "there is no IPAddressPool"
    case .noPoolOpen(let closures):
      return "no pool serves it unasked: "
        + Self.list(closures) {
          switch $0.cause {
          case .manual: "\($0.pool) has autoAssign: false (ask for it with \(AddressPool.annotation))"
          case .forOthers: "\($0.pool) is for other services by its serviceAllocation"
          }
        }
    case .poolsFull(let usages):
      let sameFamily = Set(usages.map(\.family)).count == 1
      let kind = usages.allSatisfy(\.isOnlyFamily) || !sameFamily ? "" : "\(usages[0].family.title) "
      if usages.count == 1 {
        return "pool \(usages[0].pool) has no free \(kind)address: \(usages[0].inUse) of \(usages[0].total) in use"
      }
      return "no pool has a free \(kind)address: "
        + Self.list(usages) { "\($0.pool) has \($0.inUse) of \($0.total) in use" }
    case .familyAbsent(let family, let pools):
      return pools.count == 1
        ? "pool \(pools[0]) has no \(family.title) addresses"
        : "none of the pools \(Self.list(pools) { $0 }) has \(family.title) addresses"
    case .bothFamiliesAbsent(let pools):
      return pools.count == 1
        ? "pool \(pools[0]) does not have both IPv4 and IPv6 addresses, which RequireDualStack needs"
        : "none of the pools \(Self.list(pools) { $0 }) has both IPv4 and IPv6 addresses, which RequireDualStack needs"
    case .unknownPool(let pool, let known):
      return "there is no pool \(pool)" + (known.isEmpty ? "" : "; there is \(Self.list(known) { $0 })")
    case .poolRefused(let problem): return "the pool it asks for is refused: \(problem)"
    case .poolNotForService(let pool): return "pool \(pool) is for other services by its serviceAllocation"
    case .addressInNoPool(let address): return "\(address) is in no pool"
    case .addressOutsideRequestedPool(let address, let pool, let requested):
      return "\(address) is in pool \(pool), not in \(requested), which it also asks for"
    case .addressAvoided(let address, let pool): return "pool \(pool) has avoidBuggyIPs, which leaves out \(address)"
    case .addressHeld(let address, let conflict): return "\(address) is held by \(conflict)"
    case .addressesInTwoPools(let a, let b):
      return "\(a.address) is in pool \(a.pool) and \(b.address) in pool \(b.pool); both must come from one pool"
    case .wrongFamily(let address, let wanted):
      return "it asks for \(address), and its address family is \(wanted.map(\.title).joined(separator: " and "))"
    case .twoOfOneFamily(let a, let b): return "it asks for \(a) and \(b), which are of one family"
    case .notAnAddress(let text): return "it asks for '\(text)', which is not an IP address"
    case .askedTwice(let annotation, let field):
      return "it asks for '\(annotation)' by \(AddressRequest.addressesAnnotation) and for '\(field)' by "
        + "spec.loadBalancerIP; only one may be set"
    case .noFamily: return "it has no cluster IP and no ipFamilies"
    case .oneFamilyOnly(let family):
      return "its ipFamilyPolicy is RequireDualStack and its cluster IPs are \(family.title) only"
    }
  }

  /// The first few, and how many more.
  private static func list<T>(_ items: [T], _ text: (T) -> String) -> String {
    let shown = items.prefix(5).map(text).joined(separator: ", ")
    return items.count > 5 ? "\(shown) and \(items.count - 5) more" : shown
  }
}

extension IPAddress.Family {
  /// `IPv4` or `IPv6`.
  var title: String { self == .v4 ? "IPv4" : "IPv6" }
}
