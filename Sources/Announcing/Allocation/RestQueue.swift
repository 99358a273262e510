/// Released addresses of one family that rest, in the order of their release.
struct RestQueue: Equatable, Sendable {
  struct Entry: Equatable, Sendable {
    /// Counts releases; sorted by this.
    let order: UInt64
    /// The second at which the rest is over.
    let until: Double
    let bits: UInt128
  }

  private(set) var entries: [Entry] = []

  /// Adds an entry, mostly the latest one.
  mutating func insert(_ entry: Entry) {
    if let last = entries.last, last.order > entry.order {
      entries.insert(entry, at: firstIndex(from: entry.order))
    } else {
      entries.append(entry)
    }
  }

  mutating func remove(order: UInt64) {
    let index = firstIndex(from: order)
    guard index < entries.count, entries[index].order == order else { return }
    entries.remove(at: index)
  }

  /// Takes out those whose rest is over.
  mutating func removeExpired(_ now: Double) -> ArraySlice<Entry> {
    guard let first = entries.first, first.until <= now else { return [] }
    let expired = entries.prefix { $0.until <= now }
    entries.removeFirst(expired.count)
    return expired
  }

  private func firstIndex(from order: UInt64) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].order < order { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
