import Addresses
import Announcing
import Balancing
import Kubernetes

/// What the objects come to: each Service with its addresses, its endpoints and the ports to serve.
///
/// A plain value; what `run` serves, `check` checks and `explain` explains.
struct Plan: Sendable {
  /// By name.
  private(set) var services: [PlannedService] = []
  var pools: [AddressPool] = []
  var usage: [PoolUsage] = []
  /// What is wrong beyond a single object: pools that overlap, Services without an address.
  var problems: [ManifestProblem] = []
  /// What changed in the allocation since the last plan.
  var events: [AllocationEvent] = []

  /// Which Services have each address; several where they share it.
  private(set) var holders: [IPAddress: Set<ServiceName>] = [:]

  /// The ports of all Services, in order.
  var ports: [ServicePort] { services.flatMap(\.servedPorts) }

  /// The Service of this name; nil where none is planned.
  func service(_ name: ServiceName) -> PlannedService? {
    let place = place(of: name)
    return place < services.count && services[place].name == name ? services[place] : nil
  }

  /// Puts `service` where the one of this name is or belongs; nil: there is none any more.
  mutating func replace(_ name: ServiceName, with service: PlannedService?) {
    let place = place(of: name)
    let old = place < services.count && services[place].name == name ? services[place] : nil
    switch (old, service) {
    case (.some, let service?): services[place] = service
    case (.some, nil): services.remove(at: place)
    case (nil, let service?): services.insert(service, at: place)
    case (nil, nil): break
    }
    let (had, has) = (old?.addresses ?? [], service?.addresses ?? [])
    guard had != has else { return }
    for address in had {
      holders[address]?.remove(name)
      if holders[address]?.isEmpty == true { holders[address] = nil }
    }
    for address in has { holders[address, default: []].insert(name) }
  }

  /// The first place whose Service does not come before `name`.
  private func place(of name: ServiceName) -> Int {
    var (low, high) = (0, services.count)
    while low < high {
      let middle = (low + high) / 2
      if services[middle].name < name { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// What a ``Plan`` has that the one before it had not.
struct PlanChanges: Sendable {
  /// Services that were planned anew, and those that are gone.
  var services: Set<ServiceName> = []
  /// Whether who has which address may be different.
  var isAllocation = false
  /// Addresses of which anything may be different that decides on announcing them; nil: all.
  var addresses: Set<IPAddress>? = []
  /// Whether this instance has just become the one that allocates and announces, or ceased to be.
  var isRoleNew = false
}

extension ServiceName {
  init(_ name: NamespacedName) { self.init(namespace: name.namespace, name: name.name) }
}
