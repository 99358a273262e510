import Glibc

/// SplitMix64: small, fast, the same everywhere (Steele, Lea, Flood, 2014).
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// True `percent` times in a hundred.
  public mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

  /// One of `items`, which must not be empty.
  public mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &self)] }
}

/// The seed of a random test: `ROADSTEAD_SEED` when set, else a new one; printed, so that a failure can be replayed.
public func testSeed(_ test: String = #function) -> UInt64 {
  let seed = environment("ROADSTEAD_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: .min ... .max)
  print("\(test): replay with ROADSTEAD_SEED=\(seed)")
  return seed
}

/// A variable of the environment; nil when unset or empty.
public func environment(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  let text = unsafe String(cString: value)
  return text.isEmpty ? nil : text
}
