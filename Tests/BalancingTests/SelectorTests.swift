import Addresses
import Synchronization
import Testing

@testable import Balancing

private func endpoints(_ weights: [Int]) -> [EndpointState] {
  weights.enumerated().map { index, weight in
    let address = SocketAddress(IPAddress(v4: 0x0A00_0001 + UInt32(index)), port: 80)
    return EndpointState(Endpoint(address, name: "pod-\(index)", weight: weight), shardCount: 1)
  }
}

private let client = IPAddress(v4: 0xC0A8_0101)

@Suite struct SelectorTests {
  @Test func `no selector chooses among no endpoints, or when all have been tried`() {
    var random = RandomSource(seed: 1)
    for policy in BalancePolicy.allCases {
      for count in [0, 1, 2] {
        let selector = make(policy, endpoints(Array(repeating: 1, count: count)))
        var tried = Tried()
        for index in 0..<count { tried.insert(index) }
        #expect(selector.select(source: client, tried: tried, random: &random) == nil, "\(policy), \(count)")
      }
    }
  }

  @Test func `a retry never gets an endpoint that was tried`() {
    var random = RandomSource(seed: 2)
    for policy in BalancePolicy.allCases {
      let selector = make(policy, endpoints([1, 2, 3, 4]))
      for _ in 0..<200 {
        var tried = Tried()
        for _ in 0..<Tried.capacity {
          let index = selector.select(source: client, tried: tried, random: &random)
          #expect(index.map { !tried.contains($0) } == true)
          if let index { tried.insert(index) }
        }
      }
    }
  }

  @Test func `choosing raises the count of the chosen by one`() {
    var random = RandomSource(seed: 3)
    for policy in BalancePolicy.allCases {
      let states = endpoints([1, 1, 1])
      let selector = make(policy, states)
      for _ in 0..<30 { _ = selector.select(source: client, tried: Tried(), random: &random) }
      #expect(states.map { $0.active.load(ordering: .relaxed) }.reduce(0, +) == 30)
    }
  }

  @Test func `round-robin is exact over threads that choose at the same time`() async {
    let states = endpoints([1, 2, 3])
    let selector = make(.roundRobin, states)
    await withTaskGroup(of: Void.self) { group in
      for seed in 0..<4 {
        group.addTask {
          var random = RandomSource(seed: UInt64(seed))
          for _ in 0..<1500 { _ = selector.select(source: client, tried: Tried(), random: &random) }
        }
      }
    }
    #expect(states.map { $0.active.load(ordering: .relaxed) } == [1000, 2000, 3000])
  }

  @Test func `least-connections is exact over threads that choose at the same time`() async {
    let states = endpoints([1, 2, 3])
    let selector = make(.leastConnections, states)
    await withTaskGroup(of: Void.self) { group in
      for seed in 0..<4 {
        group.addTask {
          var random = RandomSource(seed: UInt64(seed))
          for _ in 0..<1500 { _ = selector.select(source: client, tried: Tried(), random: &random) }
        }
      }
    }
    #expect(states.map { $0.active.load(ordering: .relaxed) } == [1000, 2000, 3000])
  }

  @Test func `least-connections gives the next connection to whoever has lost one`() {
    let states = endpoints([1, 1, 1])
    let selector = make(.leastConnections, states)
    var random = RandomSource(seed: 4)
    for _ in 0..<9 { _ = selector.select(source: client, tried: Tried(), random: &random) }
    for index in [2, 0, 1, 1] {
      states[index].active.wrappingSubtract(1, ordering: .relaxed)
      #expect(selector.select(source: client, tried: Tried(), random: &random) == index)
    }
  }

  @Test func `equals take turns under least-connections`() {
    let states = endpoints([1, 1, 1])
    let selector = make(.leastConnections, states)
    var random = RandomSource(seed: 5)
    var chosen: [Int] = []
    for _ in 0..<6 {
      guard let index = selector.select(source: client, tried: Tried(), random: &random) else { continue }
      chosen.append(index)
      states[index].active.wrappingSubtract(1, ordering: .relaxed)
    }
    #expect(chosen == [0, 1, 2, 0, 1, 2])
  }

  @Test func `two random choices keep the most loaded endpoint close to the mean`() {
    let states = endpoints(Array(repeating: 1, count: 20))
    let selector = make(.randomTwoChoices, states)
    var random = RandomSource(seed: 6)
    for _ in 0..<20_000 { _ = selector.select(source: client, tried: Tried(), random: &random) }
    let loads = states.map { $0.active.load(ordering: .relaxed) }
    // The gap to the mean is about ln ln n, whatever the number of connections.
    #expect(loads.max()! - 1000 <= 8, "\(loads)")
  }

  @Test func `two random choices follow the weights`() {
    let states = endpoints([1, 3])
    let selector = make(.randomTwoChoices, states)
    var random = RandomSource(seed: 7)
    for _ in 0..<4000 { _ = selector.select(source: client, tried: Tried(), random: &random) }
    let loads = states.map { $0.active.load(ordering: .relaxed) }
    #expect(abs(loads[0] - 1000) <= 4, "\(loads)")
  }

  private func make(_ policy: BalancePolicy, _ states: [EndpointState]) -> any Selector {
    switch policy {
    case .roundRobin: RoundRobin(endpoints: states, rotation: Rotation())
    case .leastConnections: LeastConnections(endpoints: states, rotation: Rotation())
    case .randomTwoChoices: RandomTwoChoices(endpoints: states)
    case .maglev: Maglev(endpoints: states)
    }
  }
}
