import Addresses

extension Allocator {
  /// What a Service is to get.
  private struct Plan {
    var picks: [AddressAssignment] = []
    /// Families that cannot be had.
    var missing: [(family: IPAddress.Family, refusal: AllocationRefusal)] = []
  }

  /// Serves `names`, and all that wait where something became free, until nothing changes.
  mutating func serve(_ names: [ServiceName], _ settlement: inout Settlement) {
    // A change may have ended what a Service lacked, so each of these is looked at once.
    var pending = names
    // Each further pass gives at least one Service something, so that there are never more than this.
    for _ in 0...records.count {
      let servesAll = settlement.mayServeOthers
      settlement.mayServeOthers = false
      let queue = servesAll ? Set(pending).union(unsatisfied) : Set(pending)
      let ordered = queue.compactMap { name in records[name].map { (name, $0.request.urgency, $0.arrival) } }
      for (name, _, _) in ordered.sorted(by: { ($0.1, $0.2) < ($1.1, $1.2) }) { serve(name, &settlement) }
      guard settlement.mayServeOthers, !unsatisfied.isEmpty else { return }
      pending = []
    }
    assertionFailure("the services that wait are never settled")
  }

  /// Serves those that require both families and kept one: they find the other, or give up the one.
  ///
  /// Before all others, so that a sharer who lost an address to one that gives it up can have it back.
  mutating func completeRequired(_ names: [ServiceName], _ settlement: inout Settlement) {
    for name in names {
      guard let record = records[name], record.request.familyPolicy == .requireDualStack, record.assigned.count == 1
      else { continue }
      serve(name, &settlement)
    }
  }

  private mutating func serve(_ name: ServiceName, _ settlement: inout Settlement) {
    guard let record = records[name] else { return }
    let (request, held) = (record.request, record.assigned)
    if let refusal = request.refusal {
      return setLacks(held.isEmpty ? .waits(refusal) : .keepsWhatItHad(refusal), name, &settlement)
    }
    let wanted = request.wantedFamilies
    let missing = wanted.filter { family in !held.contains { $0.address.family == family } }
    if missing.isEmpty { return setLacks(nil, name, &settlement) }

    let own = ownResting(request, missing, besides: held)
    var plan = Plan(picks: own)
    var givesUpHeld = false
    if let anchor = (held + own).first {
      complete(&plan, request, missing, anchor: anchor)
      if let lack = plan.missing.first, request.familyPolicy == .requireDualStack {
        // Both or none: whatever it has is in the way of getting both elsewhere.
        plan = fresh(request, wanted)
        givesUpHeld = !held.isEmpty
        for old in held {
          leave(old.address, request)
          giveUp(old, name, .otherFamilyMissing(lack.refusal), &settlement)
        }
        records[name]?.assigned = []
        for old in held {
          if uses[old.address]?.isEmpty == true { rest(old.address, for: name) }
          takeBack(old.address, &settlement)
        }
      }
    } else {
      plan = fresh(request, wanted)
    }

    for pick in plan.picks { hold(pick, request, &settlement) }
    arrange(name)
    announce(plan.picks, isAddition: !held.isEmpty && !givesUpHeld, name, &settlement)
    guard let lack = plan.missing.first else { return setLacks(nil, name, &settlement) }
    let hasNone = records[name]?.assigned.isEmpty ?? true
    setLacks(hasNone ? .waits(lack.refusal) : .familyMissing(lack.family, lack.refusal), name, &settlement)
  }

  /// Records what a Service lacks; an event when that is new.
  private mutating func setLacks(_ lacks: AllocationReason?, _ name: ServiceName, _ settlement: inout Settlement) {
    if lacks == nil { unsatisfied.remove(name) } else { unsatisfied.insert(name) }
    let before = records[name]?.lacks
    guard before != lacks else { return }
    records[name]?.lacks = lacks
    settlement.touched.insert(name)
    // That a full pool is full with other figures is no news.
    if let lacks, !lacks.isShortage || before?.isShortage != true { settlement.note(lacks, name) }
  }

  /// Records what a Service got.
  private mutating func announce(
    _ picks: [AddressAssignment], isAddition: Bool, _ name: ServiceName, _ settlement: inout Settlement
  ) {
    var plain: [AddressAssignment] = []
    for pick in picks {
      let lost = settlement.givenUp[name]?.last {
        $0.assignment.address.family == pick.address.family && $0.assignment.address != pick.address
      }
      if let lost {
        let reason = AllocationReason.reassigned(pick, from: lost.assignment, because: lost.cause)
        settlement.note(reason, name)
        records[name]?.lastChange = reason
      } else {
        plain.append(pick)
      }
    }
    guard let first = plain.first else { return }
    let reason: AllocationReason = isAddition && plain.count == 1 ? .familyAdded(first) : .assigned(plain)
    settlement.note(reason, name)
    records[name]?.lastChange = reason
  }

  /// Addresses that the Service had in the last minute and can have again, in one pool.
  private func ownResting(
    _ request: AddressRequest, _ missing: [IPAddress.Family], besides held: [AddressAssignment]
  ) -> [AddressAssignment] {
    guard let rested = restedBy[request.id] else { return [] }
    var own: [AddressAssignment] = []
    for family in missing {
      for address in rested.reversed() where address.family == family {
        guard let owner = index.owner(of: address), let pool = pools[owner]?.pool,
          (held + own).allSatisfy({ $0.pool == owner }),
          pool.autoAssign || request.requestedPool == owner || request.requestedAddress(family) == address
        else { continue }
        let assignment = AddressAssignment(address, pool: owner)
        if obstacle(to: assignment, for: request) == nil {
          own.append(assignment)
          break
        }
      }
    }
    return own
  }

  /// Finds what is missing beside `anchor`, in its pool.
  private func complete(
    _ plan: inout Plan, _ request: AddressRequest, _ missing: [IPAddress.Family], anchor: AddressAssignment
  ) {
    for family in missing where !plan.picks.contains(where: { $0.address.family == family }) {
      do throws(AllocationRefusal) {
        plan.picks.append(try pick(family, request, beside: anchor))
      } catch {
        plan.missing.append((family, error))
      }
    }
  }

  private func pick(
    _ family: IPAddress.Family, _ request: AddressRequest, beside anchor: AddressAssignment
  ) throws(AllocationRefusal) -> AddressAssignment {
    if let address = request.requestedAddress(family) {
      let asked = try requested(address, request)
      guard asked.pool == anchor.pool else { throw .addressesInTwoPools(anchor, asked) }
      return asked
    }
    guard let address = lowest(family, request, in: anchor.pool) else {
      throw shortage(family, in: [anchor.pool])
    }
    return AddressAssignment(address, pool: anchor.pool)
  }

  /// What a Service that has nothing is to get.
  private func fresh(_ request: AddressRequest, _ wanted: [IPAddress.Family]) -> Plan {
    var plan = Plan()
    do throws(AllocationRefusal) {
      if request.requestedAddresses.isEmpty {
        plan = try unasked(request, wanted)
      } else {
        // Those it names first, so that the others come from the same pool.
        let named = wanted.filter { request.requestedAddress($0) != nil }
        for family in named {
          guard let address = request.requestedAddress(family) else { continue }
          do throws(AllocationRefusal) {
            let asked = try requested(address, request)
            if let anchor = plan.picks.first, anchor.pool != asked.pool { throw .addressesInTwoPools(anchor, asked) }
            plan.picks.append(asked)
          } catch {
            plan.missing.append((family, error))
          }
        }
        if let anchor = plan.picks.first {
          complete(&plan, request, wanted.filter { !named.contains($0) }, anchor: anchor)
        }
      }
    } catch {
      plan = Plan(missing: wanted.map { ($0, error) })
    }
    if request.familyPolicy == .requireDualStack, !plan.missing.isEmpty { plan.picks = [] }
    return plan
  }

  /// The first pool that has what is wanted.
  private func unasked(
    _ request: AddressRequest, _ wanted: [IPAddress.Family]
  ) throws(AllocationRefusal) -> Plan {
    let open = try openPools(request)
    for pool in open {
      let picks = wanted.compactMap { family in
        lowest(family, request, in: pool).map { AddressAssignment($0, pool: pool) }
      }
      if picks.count == wanted.count { return Plan(picks: picks) }
    }
    if wanted.count == 1 { throw shortage(wanted[0], in: open) }
    if request.familyPolicy == .requireDualStack {
      let both = open.filter { name in wanted.allSatisfy { pools[name]?.ranges[$0].isEmpty == false } }
      if both.isEmpty { throw .bothFamiliesAbsent(pools: open) }
      throw .poolsFull(
        both.compactMap { name in
          wanted.first { lowest($0, request, in: name) == nil }.flatMap { pools[name]?.usage($0) }
        })
    }
    for family in wanted {
      for pool in open {
        guard let address = lowest(family, request, in: pool) else { continue }
        let missing = wanted.filter { $0 != family }.map { ($0, shortage($0, in: [pool])) }
        return Plan(picks: [AddressAssignment(address, pool: pool)], missing: missing)
      }
    }
    throw shortage(wanted[0], in: open)
  }

  /// The pools that a Service which asks for no address may be served from, the first to try first.
  private func openPools(_ request: AddressRequest) throws(AllocationRefusal) -> [String] {
    if let name = request.requestedPool {
      if let state = pools[name] {
        guard request.isAdmitted(by: state.pool) else { throw .poolNotForService(name) }
        return [name]
      }
      if let problem = refusedPools[name] { throw .poolRefused(problem) }
      throw .unknownPool(name, known: pools.keys.sorted())
    }
    let open = poolOrder.filter { name in pools[name].map { request.isAdmitted(by: $0.pool) } ?? false }
    if !open.isEmpty { return open }
    if pools.isEmpty { throw .noPools }
    throw .noPoolOpen(
      poolsInForce.map { PoolClosure(pool: $0.name, cause: request.isAdmitted(by: $0) ? .manual : .forOthers) })
  }

  /// The address that the Service asks for, when it can have it.
  private func requested(
    _ address: IPAddress, _ request: AddressRequest
  ) throws(AllocationRefusal) -> AddressAssignment {
    guard let owner = index.owner(of: address), let pool = pools[owner]?.pool else { throw .addressInNoPool(address) }
    if let wanted = request.requestedPool, wanted != owner {
      throw .addressOutsideRequestedPool(address, pool: owner, requested: wanted)
    }
    if !request.isAdmitted(by: pool) { throw .poolNotForService(owner) }
    if pool.avoids(address) { throw .addressAvoided(address, pool: owner) }
    if let conflict = uses[address]?.conflict(with: request) { throw .addressHeld(address, conflict) }
    return AddressAssignment(address, pool: owner)
  }

  /// The address of a pool that the Service gets when it asks for none.
  private func lowest(_ family: IPAddress.Family, _ request: AddressRequest, in pool: String) -> IPAddress? {
    if let key = request.effectiveSharingKey {
      let group = SharingGroup(key: key, localPolicySelector: request.localPolicySelector)
      let shared = shareable[group]?.first { address in
        address.family == family && index.owner(of: address) == pool && uses[address]?.conflict(with: request) == nil
      }
      if let shared { return shared }
    }
    return pools[pool]?.lowestFree(family)
  }

  /// Why none of `names` has an address of `family`.
  private func shortage(_ family: IPAddress.Family, in names: [String]) -> AllocationRefusal {
    let usages = names.compactMap { pools[$0] }.filter { !$0.ranges[family].isEmpty }.map { $0.usage(family) }
    return usages.isEmpty ? .familyAbsent(family, pools: names) : .poolsFull(usages)
  }
}

extension AllocationReason {
  /// Whether the Service waits for pools that are in use.
  fileprivate var isShortage: Bool {
    if case .waits(.poolsFull) = self { true } else { false }
  }
}

extension AddressRequest {
  /// Those with fewer choices are served first: 0 asks for an address, 1 for a pool, 2 for neither.
  fileprivate var urgency: Int { !requestedAddresses.isEmpty ? 0 : requestedPool != nil ? 1 : 2 }
}
