import Addresses

/// A set of addresses of one family, as sorted spans that neither overlap nor touch.
///
/// Its size is the number of spans, never the number of addresses: an IPv6 /64 is one span.
struct AddressSet: Equatable, Sendable {
  struct Span: Equatable, Sendable {
    var first: UInt128
    var last: UInt128
  }

  private(set) var spans: [Span] = []

  init() {}

  /// The addresses of `ranges` that are of `family`; the ranges may overlap.
  init(_ ranges: [IPRange], _ family: IPAddress.Family) {
    self.init(ranges.lazy.filter { $0.family == family }.map { Span(first: $0.first.bits, last: $0.last.bits) })
  }

  /// Single addresses, in any order.
  init(_ members: some Sequence<UInt128>) {
    self.init(members.map { Span(first: $0, last: $0) })
  }

  private init(_ unsorted: some Sequence<Span>) {
    for span in unsorted.sorted(by: { $0.first < $1.first }) { appendMerging(span) }
  }

  var isEmpty: Bool { spans.isEmpty }

  /// How many addresses; `UInt128.max` where there are more.
  var count: UInt128 {
    spans.reduce(0) { sum, span in
      let (size, isTooLarge) = (span.last - span.first).addingReportingOverflow(1)
      let (total, overflows) = sum.addingReportingOverflow(size)
      return isTooLarge || overflows ? .max : total
    }
  }

  /// How many of the addresses, all IPv4, end in .0 or .255.
  var buggyCount: UInt128 {
    // Up to and with x: one .0 for each block begun, one .255 for each block ended.
    func upTo(_ x: UInt128) -> UInt128 { (x >> 8) + 1 + ((x + 1) >> 8) }
    return spans.reduce(0) { $0 + upTo($1.last) - ($1.first == 0 ? 0 : upTo($1.first - 1)) }
  }

  func contains(_ x: UInt128) -> Bool {
    let index = firstIndex(endingAtOrAfter: x)
    return index < spans.count && spans[index].first <= x
  }

  /// The lowest member; without those that end in .0 or .255 if so asked.
  func lowest(avoidingBuggy: Bool) -> UInt128? {
    guard avoidingBuggy else { return spans.first?.first }
    for span in spans {
      var x = span.first
      while x <= span.last {
        if !AddressPool.isBuggy(x) { return x }
        x += 1
      }
    }
    return nil
  }

  /// Adds `x`, which is no member.
  mutating func insert(_ x: UInt128) {
    let index = firstIndex(endingAtOrAfter: x)
    let joinsBefore = index > 0 && x > 0 && spans[index - 1].last == x - 1
    let joinsAfter = index < spans.count && x < .max && spans[index].first == x + 1
    switch (joinsBefore, joinsAfter) {
    case (true, true):
      spans[index - 1].last = spans[index].last
      spans.remove(at: index)
    case (true, false): spans[index - 1].last = x
    case (false, true): spans[index].first = x
    case (false, false): spans.insert(Span(first: x, last: x), at: index)
    }
  }

  /// Removes `x`; false when it was no member.
  @discardableResult mutating func remove(_ x: UInt128) -> Bool {
    let index = firstIndex(endingAtOrAfter: x)
    guard index < spans.count, spans[index].first <= x else { return false }
    let span = spans[index]
    switch (x == span.first, x == span.last) {
    case (true, true): spans.remove(at: index)
    case (true, false): spans[index].first = x + 1
    case (false, true): spans[index].last = x - 1
    case (false, false):
      spans[index].last = x - 1
      spans.insert(Span(first: x + 1, last: span.last), at: index + 1)
    }
    return true
  }

  func union(_ other: AddressSet) -> AddressSet {
    if other.isEmpty { return self }
    if isEmpty { return other }
    return AddressSet(spans + other.spans)
  }

  func subtracting(_ other: AddressSet) -> AddressSet {
    var result = AddressSet()
    var next = 0
    for span in spans {
      var first = span.first
      var isUsedUp = false
      while next < other.spans.count, other.spans[next].last < first { next += 1 }
      var hole = next
      while hole < other.spans.count, other.spans[hole].first <= span.last {
        if other.spans[hole].first > first {
          result.spans.append(Span(first: first, last: other.spans[hole].first - 1))
        }
        guard other.spans[hole].last < span.last else {
          isUsedUp = true
          break
        }
        first = other.spans[hole].last + 1
        hole += 1
      }
      next = hole
      if !isUsedUp { result.spans.append(Span(first: first, last: span.last)) }
    }
    return result
  }

  func intersection(_ other: AddressSet) -> AddressSet { subtracting(subtracting(other)) }

  /// Each member in order: only for sets known to be small.
  func forEach(_ body: (UInt128) -> Void) {
    for span in spans {
      var x = span.first
      body(x)
      while x < span.last {
        x += 1
        body(x)
      }
    }
  }

  private mutating func appendMerging(_ span: Span) {
    guard let end = spans.last?.last, span.first <= (end == .max ? end : end + 1) else { return spans.append(span) }
    spans[spans.count - 1].last = max(end, span.last)
  }

  private func firstIndex(endingAtOrAfter x: UInt128) -> Int {
    var (low, high) = (0, spans.count)
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].last < x { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
