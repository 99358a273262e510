import Testing

@testable import Balancing

@Suite struct WeightedOrderTests {
  private func turns(_ weights: [Int]) -> [Int] {
    let order = WeightedOrder(weights: weights)
    return (0..<order.count).map { order[$0] }
  }

  @Test func `equal weights take turns in the order of the list`() {
    #expect(turns([1, 1, 1]) == [0, 1, 2])
    #expect(turns([7, 7]) == [0, 1])
    #expect(turns([]) == [])
  }

  @Test func `weights 5, 1, 1 give the smooth sequence of nginx`() {
    #expect(turns([5, 1, 1]) == [0, 0, 1, 0, 2, 0, 0])
  }

  @Test func `over one length each endpoint has exactly its share`() {
    for weights in [[1, 2, 3], [256, 1], [10, 20, 30], [3, 3, 1, 7, 256]] {
      let order = turns(weights)
      let divisor = order.count
      #expect(weights.reduce(0, +) % divisor == 0)
      let scale = weights.reduce(0, +) / divisor
      for (index, weight) in weights.enumerated() {
        #expect(order.count { $0 == index } * scale == weight)
      }
    }
  }

  @Test func `many endpoints with coprime weights stay within bounds, and nobody is left out`() {
    let weights = (0..<2000).map { 1 + $0 % 251 }
    let order = turns(weights)
    #expect(order.count <= 8000)
    #expect(Set(order).count == weights.count)
  }
}
