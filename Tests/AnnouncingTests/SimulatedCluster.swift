import Addresses
import Announcing
import TestKit

/// A cluster whose Services and pools are edited at random, with an allocator that follows.
struct SimulatedCluster {
  /// What one step told the allocator.
  struct Step {
    var text = ""
    var changed: [AddressRequest] = []
    var removed: [ServiceName] = []
    var pools: [AddressPool]?
    /// The allocator starts anew and is told what each Service had.
    var isRestart = false
  }

  var random: SeededRandom
  let isLarge: Bool
  var now = 0.0
  var pools: [AddressPool] = []
  var requests: [ServiceName: AddressRequest] = [:]
  private var namespaceLabels: [String: [String: String]] = [:]
  private let namespaces = ["blue", "green", "red"]
  private let space: PerSpace

  /// How many addresses of each family the pools are made of.
  private struct PerSpace {
    let v4: Int
    let v6: Int
  }

  init(seed: UInt64, isLarge: Bool) {
    random = SeededRandom(seed: seed)
    self.isLarge = isLarge
    // Small worlds are crowded; the IPv4 ones cross a .255 and .0.
    space = isLarge ? PerSpace(v4: 4096, v6: 1024) : PerSpace(v4: 24, v6: 8)
    for namespace in namespaces { namespaceLabels[namespace] = ["team": namespace] }
    for _ in 0..<Int.random(in: 1...3, using: &random) { addPool() }
  }

  private func address(_ family: IPAddress.Family, _ offset: Int) -> IPAddress {
    family == .v4 ? IPAddress(v4: 0x0A00_00F0 + UInt32(offset)) : IPAddress(v6: (0xFD00 << 112) + UInt128(offset))
  }

  private mutating func randomAddress() -> IPAddress {
    random.chance(70)
      ? address(.v4, Int.random(in: 0..<space.v4, using: &random))
      : address(.v6, Int.random(in: 0..<space.v6, using: &random))
  }

  private mutating func randomRange() -> IPRange {
    let family: IPAddress.Family = random.chance(65) ? .v4 : .v6
    let size = family == .v4 ? space.v4 : space.v6
    let first = Int.random(in: 0..<size, using: &random)
    let last = min(size - 1, first + Int.random(in: 0..<max(1, size / 3), using: &random))
    return IPRange(first: address(family, first), last: address(family, last))!
  }

  private mutating func randomSelector() -> LabelSelector {
    LabelSelector(matchLabels: ["tier": random.pick(["a", "b"])])
  }

  private mutating func randomAllocation() -> ServiceAllocation? {
    guard random.chance(35) else { return nil }
    var allocation = ServiceAllocation(priority: Int.random(in: 0...3, using: &random))
    if random.chance(40) { allocation.namespaces = [random.pick(namespaces)] }
    if random.chance(30) {
      allocation.namespaceSelectors = [LabelSelector(matchLabels: ["team": random.pick(namespaces)])]
    }
    if random.chance(30) { allocation.serviceSelectors = [randomSelector()] }
    return allocation
  }

  private mutating func addPool() {
    let ranges = (0..<Int.random(in: 1...3, using: &random)).map { _ in randomRange() }
    let name = "p\(Int.random(in: 0..<8, using: &random))"
    guard !pools.contains(where: { $0.name == name }) else { return }
    pools.append(
      AddressPool(
        name: name, ranges: ranges, autoAssign: random.chance(85), avoidBuggyIPs: random.chance(25),
        allocation: randomAllocation()))
  }

  private mutating func editPools() -> String {
    guard !pools.isEmpty, random.chance(85) else {
      addPool()
      return "add a pool"
    }
    let at = Int.random(in: 0..<pools.count, using: &random)
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      pools.remove(at: at)
      return "delete a pool"
    case 1:
      let name = "p\(Int.random(in: 0..<8, using: &random))"
      if !pools.contains(where: { $0.name == name }) { pools[at].name = name }
      return "rename a pool"
    case 2:
      pools[at].avoidBuggyIPs.toggle()
      return "toggle avoidBuggyIPs"
    case 3:
      pools[at].autoAssign.toggle()
      return "toggle autoAssign"
    case 4:
      pools[at].allocation = randomAllocation()
      return "change serviceAllocation"
    case 5:
      pools[at].ranges.append(randomRange())
      return "add a range"
    case 6:
      if pools[at].ranges.count > 1 || random.chance(10) { _ = pools[at].ranges.popLast() }
      return "remove a range"
    case 7:
      let name = "p\(Int.random(in: 0..<8, using: &random))"
      if pools[at].ranges.count > 1, !pools.contains(where: { $0.name == name }) {
        var part = pools[at]
        part.name = name
        part.ranges = [pools[at].ranges.removeFirst()]
        pools.append(part)
      }
      return "split a pool"
    default:
      let index = Int.random(in: 0..<max(1, pools[at].ranges.count), using: &random)
      guard index < pools[at].ranges.count else { return "nothing" }
      let old = pools[at].ranges[index]
      let cut = UInt128(Int.random(in: 0..<4, using: &random))
      if let first = old.first.advanced(by: cut), let range = IPRange(first: first, last: old.last) {
        pools[at].ranges[index] = range
      }
      return "shrink a range"
    }
  }

  private mutating func randomName() -> ServiceName {
    ServiceName(
      namespace: random.pick(namespaces), name: "s\(Int.random(in: 0..<(isLarge ? 2000 : 7), using: &random))")
  }

  private mutating func randomRequest(_ name: ServiceName) -> AddressRequest {
    var request = AddressRequest(id: name, namespaceLabels: namespaceLabels[name.namespace] ?? [:])
    request.labels = ["tier": random.pick(["a", "b", "c"])]
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<9: request.families = [.v4]
    case 9..<11: request.families = [.v6]
    case 11..<19: request.families = random.chance(70) ? [.v4, .v6] : [.v6, .v4]
    default: request.families = []
    }
    let isDual = request.families.count == 2
    request.familyPolicy =
      isDual
      ? random.pick([.preferDualStack, .requireDualStack]) : random.chance(95) ? .singleStack : .requireDualStack
    if random.chance(15) { request.requestedAddresses = [randomAddress()] }
    if random.chance(4) { request.requestedAddresses.append(randomAddress()) }
    if random.chance(12) { request.requestedPool = "p\(Int.random(in: 0..<8, using: &random))" }
    if random.chance(40) { request.sharingKey = random.pick(["k", "l", ""]) }
    if random.chance(15) { request.localPolicySelector = random.pick(["app=a", "app=b"]) }
    if random.chance(2) { request.invalid = .notAnAddress("?") }
    request.ports = [AddressRequest.Port(random.chance(70) ? .tcp : .udp, random.pick([80, 81, 82, 443]))]
    if random.chance(5) { request.current = [randomAddress()] }
    return request
  }

  private mutating func change(_ name: ServiceName, _ step: inout Step) {
    var request = randomRequest(name)
    // Mostly one field of what is there, as people edit.
    if var known = requests[name], random.chance(70) {
      switch Int.random(in: 0..<7, using: &random) {
      case 0: known.ports = request.ports
      case 1: known.sharingKey = request.sharingKey
      case 2: known.localPolicySelector = request.localPolicySelector
      case 3: known.requestedAddresses = request.requestedAddresses
      case 4: known.requestedPool = request.requestedPool
      case 5: known.labels = request.labels
      default: (known.families, known.familyPolicy) = (request.families, request.familyPolicy)
      }
      known.invalid = request.invalid
      request = known
    }
    step.changed.removeAll { $0.id == name }
    step.changed.append(request)
    requests[name] = request
    requests[name]?.current = []
  }

  private mutating func removeOne(_ step: inout Step) {
    guard let name = requests.keys.sorted().randomElement(using: &random),
      !step.changed.contains(where: { $0.id == name })
    else { return }
    requests[name] = nil
    step.removed.append(name)
    // Sometimes it is made again before the allocator hears of it.
    if random.chance(15) { change(name, &step) }
  }

  /// Edits something; the first step of a world fills it.
  mutating func next(isFirst: Bool, assigned: [ServiceName: [AddressAssignment]]) -> Step {
    var step = Step()
    if isFirst {
      step.text = "begin"
      step.pools = pools
      for _ in 0..<(isLarge ? 3000 : Int.random(in: 0...12, using: &random)) { change(randomName(), &step) }
      return step
    }
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<35:
      step.text = "change a service"
      change(randomName(), &step)
    case 35..<55:
      step.text = "remove a service"
      removeOne(&step)
    case 55..<67:
      step.text = "change and remove several"
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        if random.chance(60) { change(randomName(), &step) } else { removeOne(&step) }
      }
    case 67..<82:
      step.text = editPools()
      step.pools = pools
      if random.chance(20) { change(randomName(), &step) }
    case 82..<93:
      let seconds = Double(Int.random(in: 0...80, using: &random))
      step.text = "\(seconds) s pass"
      now += seconds
    case 93..<97:
      let namespace = random.pick(namespaces)
      step.text = "relabel namespace \(namespace)"
      namespaceLabels[namespace] = ["team": random.pick(namespaces)]
      for name in requests.keys.sorted() where name.namespace == namespace {
        requests[name]?.namespaceLabels = namespaceLabels[namespace] ?? [:]
        if let request = requests[name] { step.changed.append(request) }
      }
    default:
      step.text = "restart"
      step.isRestart = true
      step.pools = pools
      step.changed = requests.keys.sorted().compactMap { name in
        var request = requests[name]
        request?.current = assigned[name]?.map(\.address) ?? []
        return request
      }
    }
    return step
  }
}
