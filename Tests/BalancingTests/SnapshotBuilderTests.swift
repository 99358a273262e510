import Addresses
import Synchronization
import Testing

@testable import Balancing

@Suite struct SnapshotBuilderTests {
  private func port(_ name: String = "default/web", pods: ClosedRange<UInt32> = 1...3) -> ServicePort {
    ServicePort(
      service: name, listen: [SocketAddress("10.101.0.50:8080")!],
      endpoints: pods.map { Endpoint(SocketAddress(IPAddress(v4: 0x0A00_0000 + $0), port: 80)) })
  }

  @Test func `an equal port keeps its identity`() {
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    let first = builder.build([port(), port("default/other")])
    let second = builder.build([port("default/other"), port()])
    #expect(first.ports.map(\.port.service) == ["default/other", "default/web"])
    #expect(zip(first.ports, second.ports).allSatisfy { $0 === $1 })
  }

  @Test func `one Service's ports change alone, and nothing else is a change`() {
    func ports(_ name: String, _ numbers: [UInt16]) -> [ServicePort] {
      numbers.map { ServicePort(service: name, listen: [SocketAddress(IPAddress(v4: 1), port: $0)], endpoints: []) }
    }
    func numbers(_ ports: [ServedPort]) -> [UInt16] { ports.map(\.port.listen[0].port) }
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    let first = builder.build(ports("a", [1, 2]) + ports("b", [3]) + ports("c", [4, 5]))
    #expect(numbers(first.changes(since: Snapshot()).new) == [1, 2, 3, 4, 5])
    builder.update("b", ports: ports("b", [3, 6]))
    let second = builder.snapshot
    #expect(numbers(second.ports) == [1, 2, 3, 6, 4, 5])
    #expect(second.changes(since: first).gone.isEmpty && numbers(second.changes(since: first).new) == [6])
    builder.update("a", ports: ports("a", [2]))
    builder.update("c", ports: [])
    builder.update("0", ports: ports("0", [7]))
    let third = builder.snapshot
    #expect(numbers(third.ports) == [7, 2, 3, 6])
    let (gone, new) = third.changes(since: second)
    #expect(numbers(gone) == [1, 4, 5] && numbers(new) == [7])
    let same = builder.build(third.ports.map(\.port))
    #expect(same.ports.count == 4 && same.changes(since: third).gone.isEmpty && same.changes(since: third).new.isEmpty)
    #expect(third.ports.map(third.place) == [0, 1, 2, 3])
    #expect(second.ports.map(third.place) == [4, 1, 2, 3, 4, 4])
  }

  @Test func `a changed port continues the count of the old one`() {
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    var random = RandomSource(seed: 1)
    let client = IPAddress(v4: 1)
    let first = builder.build([port(pods: 1...3)]).ports[0]
    let chosen = first.selector.select(source: client, tried: Tried(), random: &random)
    #expect(chosen == 0)
    let second = builder.build([port(pods: 1...4)]).ports[0]
    #expect(first !== second)
    #expect(second.selector.select(source: client, tried: Tried(), random: &random) == 1)
    #expect(second.counters === first.counters)
    #expect(second.endpoints[0] === first.endpoints[0])
  }

  @Test func `an endpoint that comes back while connections to it are open has their count`() {
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    let first = builder.build([port(pods: 1...2)]).ports[0].endpoints[1]
    first.active.wrappingAdd(1, ordering: .relaxed)
    _ = builder.build([port(pods: 1...1)])
    #expect(builder.build([port(pods: 1...2)]).ports[0].endpoints[1] === first)
    first.active.wrappingSubtract(1, ordering: .relaxed)
    _ = builder.build([port(pods: 1...1)])
    _ = builder.build([port(pods: 3...3)])
    #expect(builder.build([port(pods: 1...2)]).ports[0].endpoints[1] !== first)
  }

  @Test func `what the last snapshot's selector still chooses is counted in the new one`() {
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    let old = builder.build([port(pods: 1...1)]).ports[0]
    let new = builder.build([port(pods: 2...2)]).ports[0]
    unsafe old.endpoints[0].counters(ofShard: 0).pointee.bytesIn.add(7)
    #expect(new.traffic.bytesIn == 7)
    let newest = builder.build([port(pods: 3...3)]).ports[0]
    #expect(newest.traffic.bytesIn == 7)
    #expect(newest.formerEndpoints.map(\.endpoint) == new.endpoints.map(\.endpoint))
  }

  @Test func `two ports of one Service and number on different addresses count apart, over edits too`() {
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    var other = port("-")
    other.listen = [SocketAddress("10.101.0.51:8080")!]
    let first = builder.build([port("-"), other]).ports
    #expect(first[0].counters !== first[1].counters)
    let second = builder.build([port("-"), other]).ports
    #expect(first[0] === second[0] && first[1] === second[1])
  }

  @Test func `a port without an address is left out`() {
    var builder = SnapshotBuilder(shardCount: 1, reasonCount: 1)
    var waiting = port()
    waiting.listen = []
    #expect(builder.build([waiting, port("default/other")]).ports.map(\.port.service) == ["default/other"])
  }

  @Test func `traffic is the sum over the shards`() {
    let state = EndpointState(Endpoint(SocketAddress("10.0.0.1:80")!), shardCount: 3)
    for shard in 0..<3 {
      unsafe state.counters(ofShard: shard).pointee.bytesIn.add(UInt64(shard + 1))
      unsafe state.counters(ofShard: shard).pointee.connections.add()
    }
    #expect(state.traffic == EndpointState.Traffic(connections: 3, connectFailures: 0, bytesIn: 6, bytesOut: 0))
  }

  @Test func `port counters keep their columns apart`() {
    let counters = PortCounters(shardCount: 2, reasonCount: 3)
    for shard in 0..<2 {
      counters.countAccepted(shard: shard)
      counters.countClose(reason: 2, shard: shard)
    }
    counters.countRetry(shard: 1)
    #expect(counters.accepted == 2)
    #expect(counters.retries == 1)
    #expect((0..<3).map { counters.closed(reason: $0) } == [0, 0, 2])
  }
}
