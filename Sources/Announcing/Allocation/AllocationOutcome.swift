/// What the allocator has for one Service.
public struct AllocationOutcome: Hashable, Sendable {
  /// In the Service's order of families; empty while it waits.
  public let addresses: [AddressAssignment]
  /// Why it waits, or what is missing; nil when it has all it wants.
  public let lacks: AllocationReason?
  /// How it came to what it has, or how it lost it; nil when it never had any.
  public let lastChange: AllocationReason?

  public init(addresses: [AddressAssignment], lacks: AllocationReason? = nil, lastChange: AllocationReason? = nil) {
    self.addresses = addresses
    self.lacks = lacks
    self.lastChange = lastChange
  }
}

/// Something that happened to one Service, for the log and as a Kubernetes event.
public struct AllocationEvent: Hashable, Sendable {
  public let service: ServiceName
  public let reason: AllocationReason

  public init(_ service: ServiceName, _ reason: AllocationReason) {
    self.service = service
    self.reason = reason
  }
}

extension AllocationEvent: CustomStringConvertible {
  public var description: String { reason.text(for: service) }
}

/// What one call of the allocator changed.
public struct Convergence: Hashable, Sendable {
  /// The Services whose outcome is new; all others are as they were.
  public var outcomes: [ServiceName: AllocationOutcome] = [:]
  /// The Services that the allocator has forgotten.
  public var removed: Set<ServiceName> = []
  /// In the order in which they happened.
  public var events: [AllocationEvent] = []
  /// The pools that are refused, at each call that is given pools.
  public var poolProblems: [PoolProblem] = []

  public init() {}
}
