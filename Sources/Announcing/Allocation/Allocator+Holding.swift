import Addresses

extension Allocator {
  /// Why a Service with `request` may not keep, or get back, an address that it had; nil when it may.
  func obstacle(to held: AddressAssignment, for request: AddressRequest) -> ReleaseCause? {
    let address = held.address
    guard let owner = index.owner(of: address), let pool = pools[owner]?.pool else {
      return pools[held.pool] == nil ? .poolGone : .poolShrank
    }
    if pool.avoids(address) { return .avoided }
    if !request.isAdmitted(by: pool) { return .poolForOthers(pool: owner) }
    if !request.wantedFamilies.contains(address.family) { return .familyUnwanted }
    // A request that makes no sense is no cause to move.
    if request.refusal == nil {
      if let asked = request.requestedAddress(address.family), asked != address { return .otherAddressAsked(asked) }
      if let asked = request.requestedPool, asked != owner { return .otherPoolAsked(asked) }
    }
    return uses[address]?.conflict(with: request).map { .sharingEnded($0) }
  }

  /// Suspends the holds of a Service until ``keep(_:_:)`` has decided on them.
  mutating func suspend(_ name: ServiceName) -> Recheck {
    guard let record = records[name] else { return Recheck(name: name, arrival: .max, held: []) }
    for held in record.assigned { leave(held.address, record.request) }
    records[name]?.assigned = []
    return Recheck(name: name, arrival: record.arrival, held: record.assigned)
  }

  /// Gives a suspended Service back what it may keep.
  mutating func keep(_ recheck: Recheck, _ settlement: inout Settlement) {
    guard let request = records[recheck.name]?.request else { return }
    for held in recheck.held {
      if let cause = obstacle(to: held, for: request) {
        giveUp(held, recheck.name, cause, &settlement)
      } else {
        hold(held, request, &settlement)
      }
    }
    arrange(recheck.name)
    if records[recheck.name]?.assigned != recheck.held { settlement.touched.insert(recheck.name) }
  }

  /// Gives an address back to Services that lost it to a sharer who has left it meanwhile: they never had to go.
  mutating func takeBack(_ address: IPAddress, _ settlement: inout Settlement) {
    for name in settlement.losers[address] ?? [] {
      guard let record = records[name], !record.assigned.contains(where: { $0.address.family == address.family }),
        let at = settlement.givenUp[name]?.firstIndex(where: { $0.assignment.address == address }),
        let lost = settlement.givenUp[name]?[at], obstacle(to: lost.assignment, for: record.request) == nil
      else { continue }
      // Once only: it may have to give the address up for another reason.
      settlement.losers[address]?.removeAll { $0 == name }
      hold(lost.assignment, record.request, &settlement)
      arrange(name)
      settlement.givenUp[name]?.remove(at: at)
      let untrue = AllocationEvent(name, .released(lost.assignment, because: lost.cause))
      settlement.changes.events.removeAll { $0 == untrue }
      records[name]?.lastChange = lost.before
    }
  }

  /// Puts a Service's addresses into its order of families.
  mutating func arrange(_ name: ServiceName) {
    guard let record = records[name], record.assigned.count == 2 else { return }
    if record.assigned[0].address.family != record.request.wantedFamilies.first {
      records[name]?.assigned.swapAt(0, 1)
    }
  }

  /// Gives a Service that is met for the first time what it had before, where it may have it.
  mutating func restore(_ current: [IPAddress], to request: AddressRequest, _ settlement: inout Settlement) {
    var restored: [AddressAssignment] = []
    for address in current where !restored.contains(where: { $0.address.family == address.family }) {
      let held = AddressAssignment(address, pool: index.owner(of: address) ?? "")
      if let cause = obstacle(to: held, for: request) {
        giveUp(held, request.id, cause, &settlement)
      } else {
        hold(held, request, &settlement)
        restored.append(held)
      }
    }
    guard !restored.isEmpty else { return }
    arrange(request.id)
    settlement.note(.restored(restored), request.id)
    records[request.id]?.lastChange = .restored(restored)
  }

  /// Forgets a Service.
  mutating func remove(_ name: ServiceName, _ settlement: inout Settlement) {
    guard let record = records.removeValue(forKey: name) else { return }
    unsatisfied.remove(name)
    settlement.touched.remove(name)
    settlement.changes.removed.insert(name)
    settlement.mayServeOthers = true
    for held in record.assigned {
      leave(held.address, record.request)
      settlement.note(.released(held, because: .serviceGone), name)
      settlement.touched.remove(name)
      if uses[held.address]?.isEmpty == true { rest(held.address, for: name) }
    }
  }

  /// Notes that a Service lost an address that it no longer holds or never took up.
  mutating func giveUp(
    _ held: AddressAssignment, _ name: ServiceName, _ cause: ReleaseCause, _ settlement: inout Settlement
  ) {
    settlement.givenUp[name, default: []].append((held, cause, records[name]?.lastChange))
    settlement.left.append((held.address, name))
    if case .sharingEnded = cause { settlement.losers[held.address, default: []].append(name) }
    settlement.mayServeOthers = true
    settlement.note(.released(held, because: cause), name)
    records[name]?.lastChange = .released(held, because: cause)
  }

  /// Lets the addresses rest that nobody holds any more.
  mutating func restUnused(_ left: [(address: IPAddress, service: ServiceName)]) {
    for (address, service) in left where uses[address]?.isEmpty ?? true { rest(address, for: service) }
  }

  /// Makes the Service of `request`, which has no conflict, a holder of an address of a pool.
  mutating func hold(_ assignment: AddressAssignment, _ request: AddressRequest, _ settlement: inout Settlement) {
    let address = assignment.address
    guard let owner = index.owner(of: address) else { return }
    if uses[address] == nil {
      if resting[address] == nil { pools[owner]?.free[address.family].remove(address.bits) } else { endRest(address) }
      pools[owner]?.inUse[address.family] += 1
    }
    let wasUnused = uses[address]?.isEmpty ?? true
    uses[address, default: AddressUse()].add(request)
    if wasUnused, let group = uses[address]?.sharingGroup {
      shareable[group, default: []].insertSorted(address)
      settlement.mayServeOthers = true
    }
    records[request.id]?.assigned.append(AddressAssignment(address, pool: owner))
  }

  /// Ends a Service's hold; `request` is as it was when the hold began. The address is not yet free.
  mutating func leave(_ address: IPAddress, _ request: AddressRequest) {
    let group = uses[address]?.sharingGroup
    uses[address]?.remove(request)
    if let group, uses[address]?.isEmpty == true {
      shareable[group]?.removeSorted(address)
      if shareable[group]?.isEmpty == true { shareable[group] = nil }
    }
  }

  /// Lets an address rest that nobody holds.
  mutating func rest(_ address: IPAddress, for service: ServiceName) {
    let family = address.family
    let owner = index.owner(of: address)
    guard resting[address] == nil else { return }
    if uses.removeValue(forKey: address) != nil {
      if let owner { pools[owner]?.inUse[family] -= 1 }
    } else if let owner {
      pools[owner]?.free[family].remove(address.bits)
    }
    let rest = Rest(order: nextRelease(), until: clock + Self.restSeconds, service: service)
    let entry = RestQueue.Entry(order: rest.order, until: rest.until, bits: address.bits)
    resting[address] = rest
    restedBy[service, default: []].append(address)
    if let owner { pools[owner]?.resting[family].insert(entry) } else { orphans[family].insert(entry) }
  }

  /// Takes an address out of rest, to be held.
  private mutating func endRest(_ address: IPAddress) {
    guard let rest = forgetRest(address) else { return }
    if let owner = index.owner(of: address) {
      pools[owner]?.resting[address.family].remove(order: rest.order)
    } else {
      orphans[address.family].remove(order: rest.order)
    }
  }

  @discardableResult private mutating func forgetRest(_ address: IPAddress) -> Rest? {
    guard let rest = resting.removeValue(forKey: address) else { return nil }
    restedBy[rest.service]?.removeAll { $0 == address }
    if restedBy[rest.service]?.isEmpty == true { restedBy[rest.service] = nil }
    return rest
  }

  /// Frees the addresses that have rested long enough.
  mutating func endRests() {
    for family in IPAddress.Family.allCases {
      for entry in orphans[family].removeExpired(clock) {
        if let address = IPAddress(family, bits: entry.bits) { forgetRest(address) }
      }
      for name in Array(pools.keys) {
        guard let expired = pools[name]?.resting[family].removeExpired(clock), !expired.isEmpty else { continue }
        for entry in expired {
          if let address = IPAddress(family, bits: entry.bits) { forgetRest(address) }
        }
        if expired.count < 32 {
          for entry in expired { pools[name]?.free[family].insert(entry.bits) }
        } else if let free = pools[name]?.free[family] {
          pools[name]?.free[family] = free.union(AddressSet(expired.lazy.map(\.bits)))
        }
      }
    }
  }
}

extension Settlement {
  /// Records an event, and that the Service's outcome may be new.
  mutating func note(_ reason: AllocationReason, _ name: ServiceName) {
    changes.events.append(AllocationEvent(name, reason))
    touched.insert(name)
  }
}

extension [IPAddress] {
  fileprivate mutating func insertSorted(_ address: IPAddress) { insert(address, at: sortedIndex(address)) }

  fileprivate mutating func removeSorted(_ address: IPAddress) {
    let index = sortedIndex(address)
    if index < count, self[index] == address { remove(at: index) }
  }

  private func sortedIndex(_ address: IPAddress) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
