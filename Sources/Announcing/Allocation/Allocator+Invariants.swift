import Addresses

extension Allocator {
  /// What is wrong with the allocator's own books; empty unless it has a bug. For tests: takes time.
  package func brokenInvariants() -> [String] {
    var broken: [String] = []
    func expect(_ isRight: Bool, _ text: @autoclosure () -> String) { if !isRight { broken.append(text()) } }

    var holders: [IPAddress: Set<ServiceName>] = [:]
    for (name, record) in records {
      for held in record.assigned {
        holders[held.address, default: []].insert(name)
        expect(index.owner(of: held.address) == held.pool, "\(name) has \(held), which is not there")
      }
      expect(Set(record.assigned.map(\.address.family)).count == record.assigned.count, "\(name) has a family twice")
      expect(unsatisfied.contains(name) == (record.lacks != nil), "\(name) is queued wrongly")
      expect(!record.assigned.isEmpty || record.lacks != nil, "\(name) has nothing and no reason")
    }
    expect(Set(uses.keys) == Set(holders.keys), "the used addresses are not those assigned")
    for (address, use) in uses {
      expect(use.users == holders[address], "\(address) is not used by those who have it")
      if let group = use.sharingGroup {
        expect(shareable[group]?.contains(address) == true, "\(address) is not found by those who may share it")
      }
    }
    expect(shareable.values.joined().allSatisfy { uses[$0] != nil }, "an unused address is offered to share")
    expect(shareable.values.allSatisfy { $0 == Set($0).sorted() }, "shareable addresses are out of order")

    var atRest = 0
    for (name, state) in pools {
      expect(state.pool.name == name, "pool \(name) is filed wrongly")
      for family in IPAddress.Family.allCases {
        let used = AddressSet(uses.keys.filter { $0.family == family && index.owner(of: $0) == name }.map(\.bits))
        let rests = AddressSet(state.resting[family].entries.map(\.bits))
        let free = state.free[family]
        expect(state.inUse[family] == Int(used.count), "pool \(name) counts \(state.inUse[family]) of \(used.count)")
        expect(used.intersection(rests).isEmpty && free.intersection(used.union(rests)).isEmpty, "\(name) has it twice")
        expect(free.union(used).union(rests) == state.ranges[family], "pool \(name) has lost addresses")
        expect(state.ranges[family] == AddressSet(state.pool.ranges, family), "pool \(name) has other ranges")
        let orders = state.resting[family].entries.map(\.order)
        expect(orders == Set(orders).sorted(), "pool \(name) has its rests out of order")
        atRest += orders.count
      }
    }
    for family in IPAddress.Family.allCases {
      atRest += orphans[family].entries.count
      for entry in orphans[family].entries {
        let address = IPAddress(family, bits: entry.bits)
        expect(address.flatMap(index.owner) == nil, "a resting address has a pool and is not in it")
      }
    }
    expect(atRest == resting.count, "\(resting.count) addresses rest, \(atRest) are queued")
    expect(Set(restedBy.values.joined()) == Set(resting.keys), "resting addresses are not those that were left")
    expect(resting.values.allSatisfy { $0.until > clock }, "a rest has not ended")
    return broken
  }
}
