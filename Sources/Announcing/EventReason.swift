/// The reason of a Kubernetes event about an allocation, in MetalLB's words where they mean the same.
///
/// Source: MetalLB `controller/service.go`.
public enum EventReason: String, Hashable, Sendable, CaseIterable {
  /// An address was given.
  case allocated = "IPAllocated"
  /// None could be given.
  case allocationFailed = "AllocationFailed"
  /// One was taken away.
  case clearAssignment = "ClearAssignment"
  /// A dual-stack Service has one family only.
  case additionalAssignFailed = "AdditionalAssignFailed"
  /// What is asked for makes no sense.
  case loadBalancerFailed = "LoadBalancerFailed"

  /// Whether the event's type is `Warning`; else `Normal`.
  public var isWarning: Bool {
    switch self {
    case .allocated, .clearAssignment, .additionalAssignFailed: false
    case .allocationFailed, .loadBalancerFailed: true
    }
  }
}
