/// How a Service chooses among its endpoints; annotation `roadstead.dev/balance`.
public enum BalancePolicy: String, Hashable, Sendable, CaseIterable {
  /// Each in turn, by weight, smoothly spread; exact over all shards.
  case roundRobin = "round-robin"
  /// The fewest open connections per weight; equals in turn; exact over all shards.
  case leastConnections = "least-connections"
  /// Two drawn by weight, the less loaded of them taken.
  case randomTwoChoices = "random-two-choices"
  /// By source address over a Maglev table: the same choice on every instance.
  case maglev
}
