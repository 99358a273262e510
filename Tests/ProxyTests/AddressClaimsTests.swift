import Addresses
import Balancing
import TestKit
import Testing

@testable import Proxy

@Suite struct AddressClaimsTests {
  @Test func `after any edits, who has an address is who comes first in the snapshot`() {
    var random = SeededRandom(seed: testSeed())
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    var claims = AddressClaims()
    var before: [ListenAddress: [ObjectIdentifier]] = [:]
    for _ in 0..<500 {
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        // Few addresses and few Services: they meet, also two ports of one.
        let name = "default/\(Int.random(in: 0..<8, using: &random))"
        let ports = (0..<Int.random(in: 0...3, using: &random)).map { _ in
          ServicePort(
            service: name,
            listen: (0..<Int.random(in: 1...2, using: &random)).map { _ in
              SocketAddress(IPAddress(v4: .random(in: 1...3, using: &random)), port: .random(in: 1...4, using: &random))
            }, endpoints: [])
        }
        builder.update(name, ports: ports)
      }
      let snapshot = builder.snapshot
      let changed = claims.update(to: snapshot)
      var wanted: [ListenAddress: [ObjectIdentifier]] = [:]
      for port in snapshot.ports {
        for address in port.addresses { wanted[address, default: []].append(ObjectIdentifier(port)) }
      }
      for address in Set(wanted.keys).union(before.keys) {
        #expect(claims.claimants(of: address).map(ObjectIdentifier.init) == wanted[address] ?? [])
        #expect(changed.contains(address) || wanted[address] == before[address])
      }
      before = wanted
    }
  }
}
