import Addresses
import Synchronization

/// The step of a Service port's round-robin, shared by all shards and kept over snapshots.
public final class Rotation: Sendable {
  private let step = Atomic<UInt64>(0)

  public init() {}

  /// Takes the next turn of `count`, 0 to `count` - 1.
  func next(of count: Int) -> Int {
    Int(step.wrappingAdd(1, ordering: .relaxed).oldValue % UInt64(count))
  }
}

/// Each endpoint in turn, by weight; exact over all shards, since all step one counter.
struct RoundRobin: Selector {
  let endpoints: [EndpointState]
  let order: WeightedOrder
  let rotation: Rotation

  init(endpoints: [EndpointState], rotation: Rotation) {
    self.endpoints = endpoints
    order = WeightedOrder(weights: endpoints.map(\.endpoint.weight))
    self.rotation = rotation
  }

  func select(source: IPAddress, tried: Tried, random: inout RandomSource) -> Int? {
    guard order.count > 0 else { return nil }
    var turn = rotation.next(of: order.count)
    // Only a retry looks further than one turn: those after it in the order, until one is left.
    for _ in 0..<order.count {
      let index = order[turn]
      if !tried.contains(index) {
        endpoints[index].active.wrappingAdd(1, ordering: .relaxed)
        return index
      }
      turn = turn + 1 == order.count ? 0 : turn + 1
    }
    return nil
  }
}
