import Addresses
import Announcing

/// What must hold after each step of the simulation, found by looking at everything.
struct SimulationOracle {
  /// When each address that nobody holds was left, in seconds, and by whom.
  private var left: [IPAddress: (second: Double, by: Set<ServiceName>)] = [:]
  private var assigned: [ServiceName: [AddressAssignment]] = [:]
  private var known: Set<ServiceName> = []
  private var mirror: [ServiceName: AllocationOutcome] = [:]

  // Of the step that is looked at.
  private var pools: [String: AddressPool] = [:]
  private var holders: [IPAddress: [AddressRequest]] = [:]
  private var vacant: [Place: [IPAddress]] = [:]

  private struct Place: Hashable {
    let pool: String
    let family: IPAddress.Family
  }

  /// What is wrong; empty when all is right.
  mutating func judge(
    _ step: SimulatedCluster.Step, _ cluster: SimulatedCluster, _ allocator: Allocator, _ convergence: Convergence
  ) -> [String] {
    var wrong: [String] = []
    let (before, now) = (assigned, cluster.now)
    let after = allocator.assignments
    let remade = Set(step.removed)
    if step.isRestart {
      left = [:]
      mirror = [:]
    }

    pools = Dictionary(uniqueKeysWithValues: allocator.poolsInForce.map { ($0.name, $0) })
    vacant = [:]
    holders = [:]
    for (name, held) in after {
      guard let request = cluster.requests[name] else {
        wrong.append("\(name) is gone and has \(held)")
        continue
      }
      for assignment in held { holders[assignment.address, default: []].append(request) }
    }

    wrong += convergence.outcomes.keys.filter { cluster.requests[$0] == nil }.map { "\($0) is gone and has an outcome" }
    for name in convergence.removed { mirror[name] = nil }
    mirror.merge(convergence.outcomes) { _, new in new }
    for name in cluster.requests.keys {
      let outcome = allocator.outcome(of: name)
      if outcome == nil { wrong.append("\(name) is lost") }
      if outcome != mirror[name] { wrong.append("\(name) changed and nobody was told") }
    }
    if mirror.count != cluster.requests.count { wrong.append("a removed service was not told of") }

    for (address, requests) in holders { wrong += judgeSharing(address, requests) }
    for (name, held) in after {
      if let request = cluster.requests[name] { wrong += judgeHolding(request, held) }
    }
    for (name, held) in before where !remade.contains(name) {
      guard let request = cluster.requests[name] else { continue }
      wrong += judgeMove(request, from: held, to: after[name] ?? [], before: before)
    }

    var leftNow: Set<IPAddress> = []
    for (name, held) in before {
      for address in held.map(\.address)
      where !(after[name] ?? []).contains(where: { $0.address == address }) || remade.contains(name) {
        if holders[address] == nil {
          if !leftNow.contains(address) { left[address] = (now, []) }
          left[address]?.by.insert(name)
        }
        leftNow.insert(address)
      }
    }
    // What a Service had before it was known here, and may not have.
    for request in step.changed where !known.contains(request.id) || step.isRestart || remade.contains(request.id) {
      for address in request.current
      where holders[address] == nil && (left[address].map { now >= $0.second + 60 } ?? true) {
        left[address] = (now, [request.id])
        leftNow.insert(address)
      }
      leftNow.formUnion(request.current)
    }
    // What was got and given up again within the step.
    var gaveUpOne = false
    for event in convergence.events {
      guard case .released(let held, .otherFamilyMissing) = event.reason else { continue }
      gaveUpOne = true
      if holders[held.address] == nil { left[held.address] = (now, [event.service]) }
    }
    for (name, held) in after {
      guard let request = cluster.requests[name] else { continue }
      let old = remade.contains(name) ? [] : before[name] ?? []
      let new = held.filter { assignment in !old.contains { $0.address == assignment.address } }
      if !new.isEmpty, request.refusal == nil {
        wrong += judgeChoice(request, new, held, leftNow: leftNow, now: now, anyOrder: gaveUpOne)
      }
    }
    for name in cluster.requests.keys where allocator.outcome(of: name)?.lacks != nil {
      if let request = cluster.requests[name] { wrong += judgeWaiting(request, after[name] ?? []) }
    }
    for address in holders.keys { left[address] = nil }
    assigned = after
    known = Set(cluster.requests.keys)
    return wrong
  }

  private func conflicts(_ a: AddressRequest, _ b: AddressRequest) -> Bool {
    guard let key = a.sharingKey, !key.isEmpty, key == b.sharingKey else { return true }
    return a.localPolicySelector != b.localPolicySelector || !a.ports.isDisjoint(with: b.ports)
  }

  /// No address twice without sharing.
  private func judgeSharing(_ address: IPAddress, _ requests: [AddressRequest]) -> [String] {
    guard requests.count > 1 else { return [] }
    var ports: Set<AddressRequest.Port> = []
    for request in requests {
      let agrees =
        request.sharingKey == requests[0].sharingKey && request.localPolicySelector == requests[0].localPolicySelector
      guard agrees, request.sharingKey?.isEmpty == false, ports.isDisjoint(with: request.ports) else {
        return ["\(address) is held by \(requests.map(\.id)) who may not share it"]
      }
      ports.formUnion(request.ports)
    }
    return []
  }

  /// None outside its pool, or against what the Service asks for.
  private func judgeHolding(_ request: AddressRequest, _ held: [AddressAssignment]) -> [String] {
    var wrong: [String] = []
    for assignment in held where !mayHave(request, assignment.address, in: assignment.pool) {
      wrong.append("\(request.id) may not have \(assignment)")
    }
    if request.refusal == nil, request.familyPolicy == .requireDualStack, held.count != 2 {
      wrong.append("\(request.id) requires both families and has \(held)")
    }
    if held.count > 1, held.map(\.address.family) != request.wantedFamilies {
      wrong.append("\(request.id) has its families out of order")
    }
    return wrong
  }

  /// Whether pool and request allow the address, apart from other holders.
  private func mayHave(_ request: AddressRequest, _ address: IPAddress, in name: String) -> Bool {
    guard let pool = pools[name], pool.ranges.contains(where: { $0.contains(address) }), !pool.avoids(address),
      admits(pool, request), request.wantedFamilies.contains(address.family)
    else { return false }
    guard request.refusal == nil else { return true }
    return (request.requestedAddress(address.family) ?? address) == address && (request.requestedPool ?? name) == name
  }

  private func admits(_ pool: AddressPool, _ request: AddressRequest) -> Bool {
    pool.admits(
      namespace: request.id.namespace, namespaceLabels: request.namespaceLabels, labels: request.labels)
  }

  /// Nobody moved without cause.
  private func judgeMove(
    _ request: AddressRequest, from old: [AddressAssignment], to new: [AddressAssignment],
    before: [ServiceName: [AddressAssignment]]
  ) -> [String] {
    let kept = old.filter { held in
      guard let owner = pools.values.first(where: { $0.ranges.contains { $0.contains(held.address) } }),
        mayHave(request, held.address, in: owner.name)
      else { return false }
      // A sharer of old that stays may be in the way.
      return !(holders[held.address] ?? []).contains { other in
        other.id != request.id && conflicts(request, other)
          && before[other.id]?.contains { $0.address == held.address } == true
      }
    }
    if request.familyPolicy == .requireDualStack, request.refusal == nil, kept.count < 2 { return [] }
    return kept.filter { held in !new.contains { $0.address == held.address } }
      .map { "\(request.id) lost \($0) without cause" }
  }

  /// The pools in the order in which they are tried, or the one that is asked for.
  private func open(_ request: AddressRequest) -> [AddressPool] {
    if let name = request.requestedPool { return pools[name].map { admits($0, request) ? [$0] : [] } ?? [] }
    return pools.values.filter { $0.autoAssign && admits($0, request) }.sorted { a, b in
      func rank(_ pool: AddressPool) -> (Int, Int, String) {
        guard let allocation = pool.allocation else { return (1, 0, pool.name) }
        return (0, allocation.priority == 0 ? .max : allocation.priority, pool.name)
      }
      return rank(a) < rank(b)
    }
  }

  /// The addresses of a pool that nobody holds and that it does not avoid, resting ones among them.
  private mutating func vacancies(_ pool: AddressPool, _ family: IPAddress.Family) -> [IPAddress] {
    let place = Place(pool: pool.name, family: family)
    if let known = vacant[place] { return known }
    var found: [IPAddress] = []
    for range in pool.ranges where range.family == family {
      for offset in 0..<range.count {
        if let address = range.first.advanced(by: offset), holders[address] == nil, !pool.avoids(address) {
          found.append(address)
        }
      }
    }
    found.sort()
    vacant[place] = found
    return found
  }

  /// Whether the pool has an address of the family for the Service, by the step's end.
  private mutating func has(_ pool: AddressPool, _ family: IPAddress.Family, for request: AddressRequest) -> Bool {
    if let asked = request.requestedAddress(family) {
      return mayHave(request, asked, in: pool.name)
        && (holders[asked] ?? []).allSatisfy { $0.id == request.id || !conflicts($0, request) }
    }
    if !vacancies(pool, family).isEmpty { return true }
    guard request.sharingKey?.isEmpty == false else { return false }
    return holders.contains { address, others in
      address.family == family && pool.ranges.contains { $0.contains(address) }
        && others.allSatisfy { $0.id != request.id && !conflicts($0, request) }
    }
  }

  /// The first pool that has it, the lowest address that does not rest, or the one it had.
  private mutating func judgeChoice(
    _ request: AddressRequest, _ new: [AddressAssignment], _ held: [AddressAssignment], leftNow: Set<IPAddress>,
    now: Double, anyOrder: Bool
  ) -> [String] {
    var wrong: [String] = []
    func rests(_ address: IPAddress, _ left: [IPAddress: (second: Double, by: Set<ServiceName>)]) -> Bool {
      leftNow.contains(address) || (left[address].map { now < $0.second + 60 } ?? false)
    }
    func isOwn(_ address: IPAddress) -> Bool {
      leftNow.contains(address) || (left[address]?.by.contains(request.id) ?? false)
    }
    for assignment in new where request.requestedAddress(assignment.address.family) == nil {
      let address = assignment.address
      guard holders[address]?.count == 1, let pool = pools[assignment.pool], !isOwn(address) else { continue }
      let fresh = vacancies(pool, address.family).filter { !rests($0, left) }
      if rests(address, left) {
        if !fresh.isEmpty { wrong.append("\(request.id) got \(assignment), which rests, and \(fresh[0]) is free") }
      } else if let lower = fresh.first, lower < address {
        wrong.append("\(request.id) got \(assignment) and \(lower) is free")
      }
    }
    guard new.count == held.count, request.requestedAddresses.isEmpty, !anyOrder,
      !new.contains(where: { isOwn($0.address) })
    else { return wrong }
    for pool in open(request) {
      if pool.name == new[0].pool { break }
      if new.allSatisfy({ has(pool, $0.address.family, for: request) }) {
        wrong.append("\(request.id) got \(new), and pool \(pool.name) comes first")
      }
    }
    return wrong
  }

  /// Nobody waits for what is there.
  private mutating func judgeWaiting(_ request: AddressRequest, _ held: [AddressAssignment]) -> [String] {
    guard request.refusal == nil else { return [] }
    let wanted = request.wantedFamilies
    if let anchor = held.first, let pool = pools[anchor.pool] {
      for family in wanted where !held.contains(where: { $0.address.family == family }) {
        if has(pool, family, for: request) { return ["\(request.id) goes without what pool \(pool.name) has"] }
      }
      return []
    }
    let named = wanted.filter { request.requestedAddress($0) != nil }
    let candidates = named.isEmpty ? open(request) : pools.values.filter { admits($0, request) }
    for pool in candidates {
      let needed = request.familyPolicy == .requireDualStack ? wanted : named.isEmpty ? wanted : named
      let available = needed.map { has(pool, $0, for: request) }
      if request.familyPolicy == .preferDualStack ? available.contains(true) : !available.contains(false) {
        return ["\(request.id) waits for what pool \(pool.name) has"]
      }
    }
    return []
  }
}
