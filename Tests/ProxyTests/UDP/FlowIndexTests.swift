import Addresses
import TestKit
import Testing

@testable import Proxy

@Suite struct FlowIndexTests {
  @Test("flows are found by their keys, whatever came and went before", arguments: 1...20 as ClosedRange<UInt64>)
  func model(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let index = FlowIndex()
    var keys: [Int: FlowKey] = [:]
    // Few keys, so that each comes and goes often; small tables, so that places collide.
    let all = (0..<[40, 200, 2000].randomElement(using: &random)!).map { Self.key($0) }
    for _ in 0..<10_000 {
      let id = all.indices.randomElement(using: &random)!
      if keys.removeValue(forKey: id) != nil {
        index.remove(all[id], id)
      } else {
        index.insert(all[id], id)
        keys[id] = all[id]
      }
      let asked = all.indices.randomElement(using: &random)!
      #expect(index.find(all[asked]) { all[$0] == all[asked] } == (keys[asked] == nil ? -1 : asked))
    }
    #expect(index.count == keys.count)
    for id in all.indices { #expect(index.find(all[id]) { all[$0] == all[id] } == (keys[id] == nil ? -1 : id)) }
  }

  private static func key(_ number: Int) -> FlowKey {
    FlowKey(client: SocketAddress(IPAddress(v4: 0x0A00_0001), port: UInt16(number)), local: nil, listener: 1)
  }

  @Test("two keys are one only when client, port, local address and listener are")
  func keys() {
    let v4 = [IPAddress(v4: 1), IPAddress(v4: 2)]
    let v6 = [IPAddress(v6: 1), IPAddress(v6: 1 << 64), IPAddress(v6: 1 << 64 | 1)]
    var all: [FlowKey] = []
    for address in v4 + v6 {
      for port in [0, 1, 0xFFFF] as [UInt16] {
        for local in (v4 + v6).map(Optional.some) + [nil, IPAddress(v4: 0), IPAddress(v6: 0)] {
          for listener in [0, 1, 1 << 20] {
            let key = FlowKey(client: SocketAddress(address, port: port), local: local, listener: listener)
            #expect(key.clientAddress == address && key.listener == listener)
            all.append(key)
          }
        }
      }
    }
    let seed = FlowKey.Seed()
    for (a, key) in all.enumerated() {
      for (b, other) in all.enumerated() where (key == other) != (a == b) { Issue.record("\(a) and \(b)") }
    }
    // 360 hashes of 32 bits: one pair that collides is a chance of 1 in 66,000.
    #expect(Set(all.map { $0.hash(seed) }).count >= all.count - 1)
  }
}
