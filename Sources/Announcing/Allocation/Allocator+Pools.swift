import Addresses

extension Allocator {
  /// Takes over `wanted`; returns the Services that may not keep an address, by arrival.
  ///
  /// The work grows with the spans and with the taken addresses that changed hands, not with the pools' sizes.
  mutating func apply(_ wanted: [AddressPool], _ settlement: inout Settlement) -> [ServiceName] {
    let admission = PoolAdmission(wanted, inForce: pools.values.map(\.pool))
    settlement.changes.poolProblems = admission.problems
    let refused = Dictionary(admission.problems.map { ($0.pool, $0) }, uniquingKeysWith: { first, _ in first })
    if refused != refusedPools {
      refusedPools = refused
      settlement.mayServeOthers = true
    }
    let admitted = admission.admitted
    if admitted.count == pools.count, admitted.allSatisfy({ pools[$0.name]?.pool == $0 }) { return [] }
    settlement.mayServeOthers = true

    let old = pools
    pools = [:]
    for pool in admitted { pools[pool.name] = old[pool.name].map { Self.state($0, as: pool) } ?? PoolState(pool) }
    index = PoolIndex(admitted)
    poolOrder = admitted.filter(\.autoAssign).sorted { $0.precedence < $1.precedence }.map(\.name)

    var affected: Set<ServiceName> = []
    adoptOrphans()
    for (name, state) in old.sorted(by: { $0.key < $1.key }) {
      for family in IPAddress.Family.allCases {
        let lost = pools[name].map { state.ranges[family].subtracting($0.ranges[family]) } ?? state.ranges[family]
        lost.subtracting(state.free[family]).forEach { bits in
          guard let address = IPAddress(family, bits: bits) else { return }
          affected.formUnion(rehome(address, from: name, &settlement))
        }
      }
    }
    for pool in admitted {
      guard let before = old[pool.name]?.pool, let state = pools[pool.name] else { continue }
      let isForOthers = before.allocation != pool.allocation
      guard isForOthers || (pool.avoidBuggyIPs && !before.avoidBuggyIPs) else { continue }
      for family in IPAddress.Family.allCases {
        state.ranges[family].subtracting(state.free[family]).forEach { bits in
          guard isForOthers || AddressPool.isBuggy(bits), let address = IPAddress(family, bits: bits),
            let use = uses[address]
          else { return }
          affected.formUnion(use.users)
        }
      }
    }
    return affected.filter { !mayKeepAll($0) }.sorted { arrival($0) < arrival($1) }
  }

  /// Whether the Service's addresses are all still allowed to it.
  private func mayKeepAll(_ name: ServiceName) -> Bool {
    guard let record = records[name] else { return true }
    return record.assigned.allSatisfy { obstacle(to: $0, for: record.request) == nil }
  }

  func arrival(_ name: ServiceName) -> UInt64 { records[name]?.arrival ?? .max }

  /// The state of `pool` made from that of its earlier version: what is gained is free, what is lost is not looked at.
  private static func state(_ old: PoolState, as pool: AddressPool) -> PoolState {
    var state = old
    state.pool = pool
    guard old.pool.ranges != pool.ranges else { return state }
    for family in IPAddress.Family.allCases {
      let ranges = AddressSet(pool.ranges, family)
      let lost = old.ranges[family].subtracting(ranges)
      let gained = ranges.subtracting(old.ranges[family])
      state.ranges[family] = ranges
      state.free[family] = old.free[family].subtracting(lost).union(gained)
    }
    return state
  }

  /// Moves a taken address out of the pool that lost it, into the one that has it now; returns those who hold it.
  private mutating func rehome(
    _ address: IPAddress, from old: String, _ settlement: inout Settlement
  ) -> Set<ServiceName> {
    let family = address.family
    let owner = index.owner(of: address)
    if let rest = resting[address] {
      pools[old]?.resting[family].remove(order: rest.order)
      let entry = RestQueue.Entry(order: rest.order, until: rest.until, bits: address.bits)
      if let owner {
        pools[owner]?.free[family].remove(address.bits)
        pools[owner]?.resting[family].insert(entry)
      } else {
        orphans[family].insert(entry)
      }
      return []
    }
    guard let use = uses[address] else { return [] }
    pools[old]?.inUse[family] -= 1
    guard let owner else { return use.users }
    pools[owner]?.free[family].remove(address.bits)
    pools[owner]?.inUse[family] += 1
    for name in use.users.sorted() {
      guard let at = records[name]?.assigned.firstIndex(where: { $0.address == address }) else { continue }
      records[name]?.assigned[at] = AddressAssignment(address, pool: owner)
      settlement.note(.poolChanged(address, from: old, to: owner), name)
      records[name]?.lastChange = .poolChanged(address, from: old, to: owner)
    }
    return use.users
  }

  /// Puts resting addresses that no pool held to rest in the pools that hold them now.
  private mutating func adoptOrphans() {
    for family in IPAddress.Family.allCases {
      for entry in orphans[family].entries {
        guard let address = IPAddress(family, bits: entry.bits), let owner = index.owner(of: address) else { continue }
        orphans[family].remove(order: entry.order)
        pools[owner]?.free[family].remove(entry.bits)
        pools[owner]?.resting[family].insert(entry)
      }
    }
  }
}

extension AddressPool {
  /// Sorts pools into the order in which they are tried for a Service that asks for none.
  fileprivate var precedence: (Int, UInt, String) {
    guard let allocation else { return (1, 0, name) }
    // 1 first, 0 last.
    return (0, UInt(bitPattern: allocation.priority) &- 1, name)
  }
}
