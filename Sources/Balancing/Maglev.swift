import Addresses
import Synchronization

/// By source address over a Maglev table: the same choice on every instance that has the same endpoints,
/// and few moves when one comes or goes (Eisenbud et al., NSDI 2016, section 3.4).
struct Maglev: Selector {
  /// Slots of the table, a prime.
  static let tableSize = 65_537

  let endpoints: [EndpointState]
  private let table: [UInt16]

  init(endpoints: [EndpointState]) {
    self.endpoints = endpoints
    table = Self.fill(endpoints.map(\.endpoint))
  }

  func select(source: IPAddress, tried: Tried, random: inout RandomSource) -> Int? {
    guard !table.isEmpty, tried.count < endpoints.count else { return nil }
    var slot = Int(hash(source, seed: 0) % UInt64(Self.tableSize))
    // A retry walks on from the source's slot: as stable as the first choice.
    for _ in 0..<Self.tableSize {
      let index = Int(table[slot])
      if !tried.contains(index) {
        endpoints[index].active.wrappingAdd(1, ordering: .relaxed)
        return index
      }
      slot = slot + 1 == Self.tableSize ? 0 : slot + 1
    }
    return nil
  }

  /// Slot to endpoint. Each endpoint claims slots in an order of its own, by turns as its weight allows.
  static func fill(_ endpoints: [Endpoint]) -> [UInt16] {
    guard let heaviest = endpoints.map(\.weight).max() else { return [] }
    // By address, so that the order in which they were listed does not matter.
    let order = endpoints.indices.sorted { endpoints[$0].address < endpoints[$1].address }
    let size = UInt64(tableSize)
    let skips = order.map { hash(endpoints[$0].address, seed: 2) % (size - 1) + 1 }
    var cursors = order.map { hash(endpoints[$0].address, seed: 1) % size }
    var credits = [Int](repeating: 0, count: order.count)
    var table = [UInt16](repeating: .max, count: tableSize)
    var filled = 0
    while true {
      for (turn, index) in order.enumerated() {
        credits[turn] += endpoints[index].weight
        guard credits[turn] >= heaviest else { continue }
        credits[turn] -= heaviest
        var slot = cursors[turn]
        while table[Int(slot)] != .max { slot = (slot + skips[turn]) % size }
        table[Int(slot)] = UInt16(index)
        cursors[turn] = (slot + skips[turn]) % size
        filled += 1
        if filled == tableSize { return table }
      }
    }
  }
}

private func hash(_ address: IPAddress, seed: UInt64) -> UInt64 {
  let high = UInt64(truncatingIfNeeded: address.bits >> 64)
  let low = UInt64(truncatingIfNeeded: address.bits)
  return mix(low ^ mix(high ^ mix(seed &+ UInt64(address.family.rawValue))))
}

private func hash(_ address: SocketAddress, seed: UInt64) -> UInt64 {
  mix(hash(address.address, seed: seed) ^ UInt64(address.port))
}
