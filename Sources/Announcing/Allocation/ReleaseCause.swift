import Addresses

/// Why a Service no longer has an address.
public enum ReleaseCause: Hashable, Sendable {
  /// It was deleted, or is no longer of `type: LoadBalancer`.
  case serviceGone
  /// The pool is there without the address.
  case poolShrank
  /// The pool is gone, and no other holds the address.
  case poolGone
  /// The pool avoids addresses that end in .0 or .255 now.
  case avoided
  /// The serviceAllocation of the pool that holds the address is for others.
  case poolForOthers(pool: String)
  /// The Service asks for another address.
  case otherAddressAsked(IPAddress)
  /// The Service asks for another pool.
  case otherPoolAsked(String)
  /// It no longer is of this address family.
  case familyUnwanted
  /// It may no longer share the address.
  case sharingEnded(SharingConflict)
  /// RequireDualStack, and the other family cannot be had beside this one.
  case otherFamilyMissing(AllocationRefusal)
}

extension ReleaseCause {
  /// The sentence that tells why `assignment` ended.
  func text(_ assignment: AddressAssignment) -> String {
    let address = assignment.address
    return switch self {
    case .serviceGone: "the service is gone"
    case .poolShrank: "pool \(assignment.pool) no longer holds \(address)"
    case .poolGone:
      assignment.pool.isEmpty
        ? "no pool holds \(address)" : "pool \(assignment.pool) is gone and no other holds \(address)"
    case .avoided: "pool \(assignment.pool) has avoidBuggyIPs now, which leaves out \(address)"
    case .poolForOthers(let pool): "\(address) is in pool \(pool), which is for other services by its serviceAllocation"
    case .otherAddressAsked(let other): "it asks for \(other)"
    case .otherPoolAsked(let pool): "it asks for pool \(pool)"
    case .familyUnwanted: "it no longer has the address family \(address.family.title)"
    case .sharingEnded(let conflict): "\(address) is held by \(conflict)"
    case .otherFamilyMissing(let refusal): "RequireDualStack needs both families, and \(refusal)"
    }
  }
}
