import Addresses

/// Why a Service has, gets, loses or lacks an address: one wording for `check`, `explain`, `status`, log and events.
public enum AllocationReason: Hashable, Sendable {
  /// It got these.
  case assigned([AddressAssignment])
  /// It has these from before this process.
  case restored([AddressAssignment])
  /// It got the first in place of the second.
  case reassigned(AddressAssignment, from: AddressAssignment, because: ReleaseCause)
  /// It got its other family.
  case familyAdded(AddressAssignment)
  /// It keeps the address, which is in another pool now.
  case poolChanged(IPAddress, from: String, to: String)
  /// It gave this up.
  case released(AddressAssignment, because: ReleaseCause)
  /// It has no address.
  case waits(AllocationRefusal)
  /// It has an address, but none of this family.
  case familyMissing(IPAddress.Family, AllocationRefusal)
  /// What it asks for cannot be understood, so that it keeps what it had.
  case keepsWhatItHad(AllocationRefusal)

  /// The reason of the Kubernetes event; nil where none is to be written.
  public var eventReason: EventReason? {
    switch self {
    case .assigned, .reassigned, .familyAdded: .allocated
    case .restored, .poolChanged: nil
    case .released(_, .serviceGone): nil
    case .released: .clearAssignment
    case .waits(let refusal): refusal.isRequestInvalid ? .loadBalancerFailed : .allocationFailed
    case .familyMissing: .additionalAssignFailed
    case .keepsWhatItHad: .loadBalancerFailed
    }
  }

  /// The whole sentence about `service`.
  public func text(for service: ServiceName) -> String {
    switch self {
    case .assigned(let assignments): "\(service) has \(Self.list(assignments))"
    case .restored(let assignments): "\(service) keeps \(Self.list(assignments))"
    case .reassigned(let new, let old, let cause): "\(service) has \(new) instead of \(old.address): \(cause.text(old))"
    case .familyAdded(let assignment): "\(service) also has \(assignment)"
    case .poolChanged(let address, let old, let new):
      "\(service) keeps \(address), which is in pool \(new) now (was \(old))"
    case .released(let assignment, let cause): "\(service) gives up \(assignment.address): \(cause.text(assignment))"
    case .waits(let refusal): "\(refusal); \(service) waits"
    case .familyMissing(let family, let refusal): "\(refusal); \(service) goes without \(family.title)"
    case .keepsWhatItHad(let refusal): "\(refusal); \(service) keeps what it had"
    }
  }

  private static func list(_ assignments: [AddressAssignment]) -> String {
    if assignments.count == 2, assignments[0].pool == assignments[1].pool {
      return "\(assignments[0].address) and \(assignments[1])"
    }
    return assignments.map(\.description).joined(separator: " and ")
  }
}
