import Addresses
import Synchronization

/// The endpoint with the fewest open connections per weight; equals in turn, by weight.
///
/// Exact over all shards: the count is raised by compare-and-exchange from the value that was
/// compared, so no two shards take one place. Looks at every endpoint: linear in their number.
struct LeastConnections: Selector {
  let endpoints: [EndpointState]
  let weights: [Int]
  let order: WeightedOrder
  let rotation: Rotation

  init(endpoints: [EndpointState], rotation: Rotation) {
    self.endpoints = endpoints
    weights = endpoints.map(\.endpoint.weight)
    order = WeightedOrder(weights: weights)
    self.rotation = rotation
  }

  func select(source: IPAddress, tried: Tried, random: inout RandomSource) -> Int? {
    while true {
      guard let (index, active) = least(tried: tried) else { return nil }
      let (exchanged, _) = endpoints[index].active.compareExchange(
        expected: active, desired: active + 1, ordering: .relaxed)
      if exchanged { return index }
    }
  }

  /// The least loaded endpoint and its count as it was compared.
  private func least(tried: Tried) -> (index: Int, active: Int)? {
    var best: (index: Int, active: Int)?
    var equals = 0
    for index in endpoints.indices where !tried.contains(index) {
      let active = endpoints[index].active.load(ordering: .relaxed)
      guard let current = best else {
        best = (index, active)
        equals = 1
        continue
      }
      // active / weight, compared without dividing.
      let (mine, theirs) = (active * weights[current.index], current.active * weights[index])
      if mine < theirs {
        best = (index, active)
        equals = 1
      } else if mine == theirs {
        equals += 1
      }
    }
    guard let best, equals > 1 else { return best }
    return firstInTurn(equalTo: best, tried: tried) ?? best
  }

  private func firstInTurn(equalTo best: (index: Int, active: Int), tried: Tried) -> (index: Int, active: Int)? {
    var turn = rotation.next(of: order.count)
    for _ in 0..<order.count {
      let index = order[turn]
      let active = endpoints[index].active.load(ordering: .relaxed)
      if active * weights[best.index] <= best.active * weights[index], !tried.contains(index) { return (index, active) }
      turn = turn + 1 == order.count ? 0 : turn + 1
    }
    return nil
  }
}
