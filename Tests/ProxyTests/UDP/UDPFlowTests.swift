import Addresses
import Balancing
import EventLoop
import TestKit
import Testing

@testable import Proxy

/// Which endpoint a flow has, and for how long.
@Suite(.serialized, .timeLimit(.minutes(1))) struct UDPFlowTests {
  private let block: LoopbackBlock
  private let servers: [UDPServer]

  init() throws {
    let block = try LoopbackBlock()
    self.block = block
    servers = try (1...3).map { try UDPServer.name("pod-\($0)", on: block.address($0, port: 53)) }
  }

  private func endpoints(_ hosts: Int..., weight: Int = 1) -> [Endpoint] {
    hosts.map { Endpoint(block.address($0, port: 53), weight: weight) }
  }

  @Test func `flows take turns over the endpoints and stay`() throws {
    let rig = try UDPRig(to: endpoints(1, 2, 3), block: block)
    let clients = try (0..<6).map { _ in try rig.client() }
    for _ in 0..<3 {
      for (number, client) in clients.enumerated() {
        #expect(try client.ask("who", of: rig.listen) == "pod-\(number % 3 + 1)")
      }
    }
    #expect(rig.flowCount == 6 && rig.served.counters.accepted == 6)
    #expect(rig.served.endpoints.map { $0.active.load(ordering: .relaxed) } == [2, 2, 2])
  }

  @Test func `an endpoint that refuses loses its flow, and the datagram whose send was refused arrives elsewhere`()
    throws
  {
    let rig = try UDPRig(to: endpoints(9, 2), block: block)
    let client = try rig.client()
    // The first is lost: nobody knew. All that follow at once arrive, whatever their sizes.
    let sizes = [10, 20, 20, 30, 1, 0, 7, 7, 7, 100]
    try rig.held { for size in sizes { try client.send([UInt8](repeating: 1, count: size), to: rig.listen) } }
    for size in sizes.dropFirst() { #expect(try servers[1].next().bytes.count == size) }
    #expect(try client.ask("who", of: rig.listen) == "pod-2")
    #expect(rig.flowCount == 1 && rig.served.counters.accepted == 1)
    #expect(rig.served.counters.retries == 1 && rig.served.traffic.connectFailures == 1)
    #expect(rig.accounted == 11 && rig.served.counters.datagramsIn == 11)
    #expect(try socketsConnected(to: block.address(9, port: 53)) == 0)
  }

  @Test func `a refusal that comes between datagrams moves the flow as well`() throws {
    let rig = try UDPRig(to: endpoints(9, 2), block: block)
    let client = try rig.client()
    try client.send("lost", to: rig.listen)
    try eventually("the refusal is known") { rig.served.traffic.connectFailures == 1 }
    #expect(try client.ask("who", of: rig.listen) == "pod-2")
    #expect(rig.served.counters.retries == 1)
  }

  @Test func `two dead endpoints cost two datagrams, not the flow`() throws {
    let rig = try UDPRig(to: endpoints(8, 9, 3), block: block)
    let client = try rig.client()
    try rig.held { for number in 0..<10 { try client.send([UInt8](repeating: 1, count: number), to: rig.listen) } }
    for number in 2..<10 { #expect(try servers[2].next().bytes.count == number) }
    #expect(rig.accounted == 10 && rig.served.counters.retries == 2)
  }

  @Test func `with one endpoint that is dead every datagram is accounted for, and it may come back`() throws {
    let rig = try UDPRig(to: endpoints(9), block: block)
    let client = try rig.client()
    try rig.held { for _ in 0..<100 { try client.send("lost", to: rig.listen) } }
    try eventually("all are accounted for") { rig.accounted == 100 }
    let back = try UDPServer.name("back", on: block.address(9, port: 53))
    #expect(try client.ask("who", of: rig.listen) == "back")
    #expect(rig.flowCount == 1 && back.received.count == 1)
  }

  @Test func `an endpoint that cannot be connected to is passed over`() throws {
    // Broadcast needs an option that the socket does not have: EACCES.
    let bad = Endpoint(SocketAddress(IPAddress(v4: .max), port: 53))
    let rig = try UDPRig(to: [bad] + endpoints(2), block: block)
    let client = try rig.client()
    #expect(try client.ask("who", of: rig.listen) == "pod-2")
    #expect(rig.served.counters.retries == 1 && rig.flowCount == 1)
    rig.serve([bad])
    try client.send("lost", to: rig.listen)
    try eventually("it is dropped") { rig.drops(.refused) == 1 }
    #expect(rig.flowCount == 0 && rig.ends(.failed) == 1)
  }

  @Test func `an endpoint that goes loses its flows at their next datagram, the others stay where they are`() throws {
    let rig = try UDPRig(to: endpoints(1, 2), block: block)
    let clients = try (0..<4).map { _ in try rig.client() }
    for client in clients { _ = try client.ask("who", of: rig.listen) }
    let before = try (0..<2).map { _ in try servers[1].next().source }
    rig.serve(endpoints(2, 3))
    #expect(rig.flowCount == 4)
    #expect(rig.served.formerEndpoints.map { $0.active.load(ordering: .relaxed) } == [2])
    var names: [String] = []
    for client in clients { names.append(try client.ask("who", of: rig.listen)) }
    #expect(names[1] == "pod-2" && names[3] == "pod-2")
    #expect(!names.contains("pod-1"))
    // The same sockets, so the same flows for the server.
    let after = servers[1].received.map(\.source)
    #expect(before.allSatisfy(after.contains))
    #expect(rig.served.formerEndpoints.map { $0.active.load(ordering: .relaxed) } == [0])
    #expect(try socketsConnected(to: block.address(1, port: 53)) == 0)
  }

  @Test func `edits that leave the endpoint keep the flow and its socket`() throws {
    let rig = try UDPRig(to: endpoints(1), block: block)
    let client = try rig.client()
    for _ in 0..<2 { _ = try client.ask("who", of: rig.listen) }
    rig.serve(endpoints(1, weight: 5))
    _ = try client.ask("who", of: rig.listen)
    rig.serve(endpoints(1, 2, weight: 7))
    _ = try client.ask("who", of: rig.listen)
    rig.serve(endpoints(1, 2, weight: 7), timeouts: Timeouts(udpIdle: 30))
    _ = try client.ask("who", of: rig.listen)
    #expect(Set(servers[0].received.map(\.source)).count == 1)
    #expect(rig.served.counters.retries == 0 && rig.flowCount == 1)
    #expect(rig.served.endpoints[0].active.load(ordering: .relaxed) == 1)
    #expect(rig.served.endpoints[0].traffic.bytesIn > 0)
  }

  @Test func `a service without endpoints drops, and takes its flows up again when there is one`() throws {
    let rig = try UDPRig(to: endpoints(1), block: block)
    let client = try rig.client()
    _ = try client.ask("who", of: rig.listen)
    rig.serve([])
    for _ in 0..<3 { try client.send("lost", to: rig.listen) }
    try eventually("they are dropped") { rig.drops(.noEndpoint) == 3 }
    rig.serve(endpoints(3))
    #expect(try client.ask("who", of: rig.listen) == "pod-3")
    #expect(rig.accounted == 5 && rig.flowCount == 1)
  }

  @Test func `a service that goes takes its flows along, descriptors and all`() throws {
    let rig = try UDPRig(to: endpoints(1), block: block)
    let clients = try (0..<50).map { _ in try rig.client() }
    for client in clients { _ = try client.ask("who", of: rig.listen) }
    #expect(try socketsConnected(to: servers[0].address) == 50)
    rig.serve(nil)
    #expect(rig.flowCount == 0 && rig.ends(.unserved) == 50)
    #expect(try socketsConnected(to: servers[0].address) == 0)
    #expect(rig.served.endpoints[0].active.load(ordering: .relaxed) == 0)
  }

  @Test func `an address that passes to another Service leaves its flows behind`() throws {
    let rig = try UDPRig(to: endpoints(1), block: block)
    let client = try rig.client()
    _ = try client.ask("who", of: rig.listen)
    let first = rig.served
    rig.serve(endpoints(1), service: "default/other")
    #expect(rig.flowCount == 0 && first.counters.closed(reason: FlowEnd.unserved.place) == 1)
    #expect(try client.ask("who", of: rig.listen) == "pod-1")
    #expect(rig.served.counters.accepted == 1 && first.counters.accepted == 1)
  }

  @Test func `idle flows end, though the timer was waiting for a later end`() throws {
    let rig = try UDPRig(to: endpoints(1), timeouts: Timeouts(udpIdle: 0.3), block: block)
    let young = try rig.client()
    _ = try young.ask("who", of: rig.listen)
    let proven = try rig.client()
    for _ in 0..<2 { _ = try proven.ask("who", of: rig.listen) }
    try eventually("the proven flow ends", within: .seconds(3)) { rig.ends(.idle) == 1 }
    #expect(rig.flowCount == 1 && rig.ends(.young) == 0)
    try eventually("the young flow ends", within: .seconds(7)) { rig.ends(.young) == 1 }
    #expect(rig.flowCount == 0)
    #expect(try socketsConnected(to: servers[0].address) == 0)
  }

  @Test func `over the limit the oldest young flow makes room, and a proven flow stays`() throws {
    let rig = try UDPRig(to: endpoints(1), flowLimit: 32, block: block)
    let real = try rig.client()
    for _ in 0..<2 { _ = try real.ask("who", of: rig.listen) }
    let flow = try servers[0].next().source
    let clients = try (0..<200).map { _ in try rig.client(101) }
    for client in clients { #expect(try client.ask("who", of: rig.listen) == "pod-1") }
    #expect(rig.flowCount == 32)
    #expect(rig.ends(.evictedYoung) == 169 && rig.ends(.evictedIdle) == 0)
    #expect(try socketsConnected(to: servers[0].address) == 32)
    #expect(try real.ask("who", of: rig.listen) == "pod-1")
    #expect(servers[0].received.last?.source == flow)
    #expect(rig.accounted == 203)
  }
}
