/// The turns of a weighted round-robin, laid out once: element k is the endpoint of turn k.
///
/// The smooth sequence of nginx's upstream module: weights 5, 1, 1 give a a b a c a a. Over one whole
/// length each endpoint has exactly its share.
struct WeightedOrder: Sendable {
  /// Empty when all weights are equal: turn k is then endpoint k.
  private let turns: [UInt16]
  private let endpointCount: Int

  /// How many turns until it repeats; 0 without endpoints.
  var count: Int { turns.isEmpty ? endpointCount : turns.count }

  /// The endpoint of turn `k`, 0 to ``count`` - 1.
  subscript(k: Int) -> Int { turns.isEmpty ? k : Int(turns[k]) }

  // Laying out costs endpoints × turns; past this the weights are made coarser.
  private static let mostSteps = 8_000_000

  init(weights: [Int]) {
    endpointCount = weights.count
    guard let first = weights.first, weights.contains(where: { $0 != first }) else {
      turns = []
      return
    }
    var weights = weights
    let divisor = weights.reduce(0, greatestCommonDivisor)
    weights = weights.map { $0 / divisor }
    let mostTurns = max(Self.mostSteps / weights.count, weights.count)
    let total = weights.reduce(0, +)
    if total > mostTurns { weights = weights.map { max(1, $0 * mostTurns / total) } }
    turns = Self.smooth(weights)
  }

  private static func smooth(_ weights: [Int]) -> [UInt16] {
    let total = weights.reduce(0, +)
    var current = [Int](repeating: 0, count: weights.count)
    var turns: [UInt16] = []
    turns.reserveCapacity(total)
    for _ in 0..<total {
      var best = 0
      for index in weights.indices {
        current[index] += weights[index]
        if current[index] > current[best] { best = index }
      }
      current[best] -= total
      turns.append(UInt16(best))
    }
    return turns
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
