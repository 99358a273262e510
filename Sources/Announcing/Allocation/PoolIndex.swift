import Addresses

/// Which pool holds an address: disjoint ranges, sorted, found by bisection.
struct PoolIndex: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    let range: IPRange
    let pool: String
  }

  private var entries: [Entry] = []

  init() {}

  /// From pools that do not overlap.
  init(_ pools: some Sequence<AddressPool>) {
    entries = pools.flatMap { pool in pool.ranges.map { Entry(range: $0, pool: pool.name) } }
    entries.sort { $0.range.first < $1.range.first }
  }

  mutating func insert(_ pool: AddressPool) {
    for range in pool.ranges {
      entries.insert(Entry(range: range, pool: pool.name), at: firstIndex(endingAtOrAfter: range.first))
    }
  }

  /// The pool that holds `address`.
  func owner(of address: IPAddress) -> String? {
    let index = firstIndex(endingAtOrAfter: address)
    guard index < entries.count, entries[index].range.first <= address else { return nil }
    return entries[index].pool
  }

  /// A range that shares an address with `range`.
  func overlap(_ range: IPRange) -> Entry? {
    let index = firstIndex(endingAtOrAfter: range.first)
    guard index < entries.count, entries[index].range.overlaps(range) else { return nil }
    return entries[index]
  }

  private func firstIndex(endingAtOrAfter address: IPAddress) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].range.last < address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
