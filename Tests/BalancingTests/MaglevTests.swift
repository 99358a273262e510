import Addresses
import Testing

@testable import Balancing

@Suite struct MaglevTests {
  private func endpoints(_ range: Range<UInt32>, weight: Int = 1) -> [Endpoint] {
    range.map { Endpoint(SocketAddress(IPAddress(v4: 0x0A00_0000 + $0), port: 80), weight: weight) }
  }

  /// Endpoint by slot, so that tables of differently ordered lists compare.
  private func table(_ endpoints: [Endpoint]) -> [SocketAddress] {
    Maglev.fill(endpoints).map { endpoints[Int($0)].address }
  }

  @Test func `the order in which endpoints are listed does not matter`() {
    let list = endpoints(1..<30)
    #expect(table(list) == table(list.reversed()))
  }

  @Test func `the choice for a source is the same in every process and every version`() {
    // Changing these moves every client of a running cluster during an upgrade.
    let list = endpoints(1..<6)
    let states = list.map { EndpointState($0, shardCount: 1) }
    let selector = Maglev(endpoints: states)
    var random = RandomSource(seed: 1)
    let chosen = (0..<12).compactMap {
      selector.select(source: IPAddress(v4: 0xC0A8_0000 + $0), tried: Tried(), random: &random)
    }
    #expect(chosen == [2, 2, 4, 1, 4, 0, 0, 3, 2, 2, 0, 1])
  }

  @Test func `shares are within two percent of each other`() {
    let counts = Dictionary(grouping: table(endpoints(1..<11)), by: { $0 }).mapValues(\.count)
    #expect(counts.values.min()! * 102 >= counts.values.max()! * 100)
  }

  @Test func `shares follow the weights`() {
    let list = endpoints(1..<2) + endpoints(2..<3, weight: 3)
    let counts = Dictionary(grouping: table(list), by: { $0 }).mapValues(\.count)
    let share = Double(counts[list[0].address]!) / Double(Maglev.tableSize)
    #expect(abs(share - 0.25) < 0.01)
  }

  @Test func `when one of ten endpoints goes, few of the others' slots move`() {
    let list = endpoints(1..<11)
    let before = table(list)
    let after = table(Array(list.dropLast()))
    let moved = zip(before, after).count { $0 != $1 && $0 != list[9].address }
    #expect(Double(moved) / Double(Maglev.tableSize) < 0.05)
  }

  @Test func `a single endpoint has every slot`() {
    #expect(Set(Maglev.fill(endpoints(1..<2))) == [0])
    #expect(Maglev.fill([]).isEmpty)
  }
}
