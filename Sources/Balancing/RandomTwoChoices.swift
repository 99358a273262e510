import Addresses
import Synchronization

/// Two different endpoints drawn by weight, the one with fewer connections per weight taken.
///
/// Constant time; within a small factor of least-connections (Mitzenmacher 2001).
struct RandomTwoChoices: Selector {
  let endpoints: [EndpointState]
  // cumulative[k] is the sum of the weights up to and including endpoint k.
  private let cumulative: [Int]

  init(endpoints: [EndpointState]) {
    self.endpoints = endpoints
    var sum = 0
    cumulative = endpoints.map { state in
      sum += state.endpoint.weight
      return sum
    }
  }

  func select(source: IPAddress, tried: Tried, random: inout RandomSource) -> Int? {
    guard let first = draw(tried: tried, not: nil, random: &random) else { return nil }
    var chosen = first
    if let second = draw(tried: tried, not: first, random: &random) {
      let (a, b) = (endpoints[first], endpoints[second])
      let (activeA, activeB) = (a.active.load(ordering: .relaxed), b.active.load(ordering: .relaxed))
      if activeB * a.endpoint.weight < activeA * b.endpoint.weight { chosen = second }
    }
    endpoints[chosen].active.wrappingAdd(1, ordering: .relaxed)
    return chosen
  }

  private func draw(tried: Tried, not other: Int?, random: inout RandomSource) -> Int? {
    guard let total = cumulative.last else { return nil }
    let drawn = find(random.next(below: total))
    // At most four are ruled out, so the next one that is not is near.
    for step in 0..<endpoints.count {
      let index = (drawn + step) % endpoints.count
      if index != other, !tried.contains(index) { return index }
    }
    return nil
  }

  /// The endpoint whose share of the weights holds `point`.
  private func find(_ point: Int) -> Int {
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if point < cumulative[middle] { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
