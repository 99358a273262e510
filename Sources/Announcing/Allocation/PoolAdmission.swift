import Addresses

/// Which of the pools that are written down can be in force together.
///
/// A bad pool never takes a good one down: of two that overlap, one that is in force unchanged stays, else the one
/// that is first by name. A refused pool of which an earlier version is in force stays with that version, unless
/// others hold its addresses now.
public struct PoolAdmission: Hashable, Sendable {
  /// The pools that can be in force, by name.
  public private(set) var admitted: [AddressPool] = []
  /// The pools that are refused, by name.
  public private(set) var problems: [PoolProblem] = []

  /// Judges `pools`, of which earlier versions may be in force.
  public init(_ pools: [AddressPool], inForce: [AddressPool] = []) {
    let lastGood = Dictionary(inForce.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    // Unchanged pools first, then by name; equals stay in the order given.
    let order = pools.enumerated().sorted { a, b in
      let (aStays, bStays) = (lastGood[a.element.name] == a.element, lastGood[b.element.name] == b.element)
      if aStays != bStays { return aStays }
      return a.element.name == b.element.name ? a.offset < b.offset : a.element.name < b.element.name
    }
    var index = PoolIndex()
    var names: Set<String> = []
    var refused: [(name: String, cause: PoolProblem.Cause)] = []
    for (_, pool) in order {
      if let cause = Self.problem(pool, names: names, index: index) {
        refused.append((pool.name, cause))
      } else {
        names.insert(pool.name)
        index.insert(pool)
        admitted.append(pool)
      }
    }
    for (name, cause) in refused {
      var staysAsItWas = false
      if let old = lastGood[name], Self.problem(old, names: names, index: index) == nil {
        names.insert(name)
        index.insert(old)
        admitted.append(old)
        staysAsItWas = true
      }
      problems.append(PoolProblem(pool: name, cause: cause, keepsLastGood: staysAsItWas))
    }
    admitted.sort { $0.name < $1.name }
    problems.sort { $0.pool < $1.pool }
  }

  private static func problem(_ pool: AddressPool, names: Set<String>, index: PoolIndex) -> PoolProblem.Cause? {
    if pool.name.isEmpty { return .nameMissing }
    if names.contains(pool.name) { return .duplicateName }
    if pool.ranges.isEmpty { return .noRanges }
    let sorted = pool.ranges.sorted { ($0.first, $0.last) < ($1.first, $1.last) }
    for (a, b) in zip(sorted, sorted.dropFirst()) where a.overlaps(b) { return .overlapsItself(a, b) }
    for range in pool.ranges {
      if let hit = index.overlap(range) { return .overlaps(range, other: hit.range, pool: hit.pool) }
    }
    return nil
  }
}
