import Addresses
import Foundation
import TestKit
import Testing

/// Datagrams in numbers, and pods that go.
@Suite(.serialized) struct UDPTrafficTests {
  private struct Result: Decodable {
    let sent: Int
    let right: Int
    let wrong: Int
    let missing: Int
  }

  /// Runs Tests/udp/traffic.py.
  private func traffic(
    _ route: UDPRoute, flows: Int, datagrams: Int, within span: Duration
  ) throws -> Result {
    let finished = try run(
      "python3",
      [
        "\(RoadsteadBinary.checkout)/Tests/udp/traffic.py", "\(route.listen.address)", "\(route.listen.port)",
        "\(route.block.address(100))", "\(flows)", "\(datagrams)",
      ], within: span)
    guard let line = finished.output.last else { throw TestFailure(finished.transcript) }
    return try JSONDecoder().decode(Result.self, from: Data(line.utf8))
  }

  @Test("10,000 flows at once, each with its own socket, every answer right", .timeLimit(.minutes(2)))
  func tenThousandFlows() throws {
    let block = try LoopbackBlock()
    let backends = try (1...2).map {
      try udpBackend(block.address($0, port: 18053), name: "pod-\($0)", "--echo")
    }
    let route = try UDPRoute(to: (1...2).map { block.address($0, port: 18053) }, block: block)
    let flows = min(10_000, try route.state.flowLimit * 15 / 16 * 9 / 10)
    if flows < 10_000 { print("only \(flows) flows: the limit of open files is low here") }
    let result = try traffic(route, flows: flows, datagrams: flows * 3, within: .seconds(90))
    #expect(result.right == flows * 3 && result.wrong == 0 && result.missing == 0, "\(result)")
    let state = try route.state
    #expect(state.accepted == flows)
    #expect(state.datagramsIn == flows * 3 && state.datagramsOut == flows * 3 && state.dropped == 0, "\(state)")
    // Within 5 s of their last datagram none has ended; a slow machine takes longer than that for all of them.
    #expect(state.active == flows - state.closes.values.reduce(0, +))
    #expect(state.closes.keys.allSatisfy { $0 == "young-idle" }, "\(state.closes)")
    #expect(route.process.isRunning && backends.allSatisfy { $0.isRunning })
  }

  @Test(
    "1,000,000 datagrams with checksums over 500 flows arrive right, and the counters add up exactly",
    .timeLimit(.minutes(4)))
  func million() throws {
    let block = try LoopbackBlock()
    let backends = try (1...2).map {
      try udpBackend(block.address($0, port: 18053), name: "pod-\($0)", "--echo")
    }
    let route = try UDPRoute(to: (1...2).map { block.address($0, port: 18053) }, block: block)
    let count = environment("ROADSTEAD_DATAGRAMS").flatMap { Int($0) } ?? 1_000_000
    let started = ContinuousClock.now
    let result = try traffic(route, flows: 500, datagrams: count, within: .seconds(200))
    let state = try route.state
    print("\(count) datagrams over 500 flows in \(started.duration(to: .now)): \(result), dropped \(state.drops)")
    #expect(result.sent == count && result.wrong == 0, "\(result)")
    #expect(result.right + result.missing == count)
    // What went in was delivered or dropped, what came out was received; what is missing was dropped, and said so.
    #expect(state.datagramsOut == result.right, "\(state)")
    #expect(state.datagramsIn + state.dropped >= count && state.datagramsIn <= count, "\(state)")
    #expect(result.missing == state.dropped, "\(result) \(state)")
    #expect(state.accepted == 500)
    #expect(backends.allSatisfy { $0.isRunning })
  }

  private func service(_ port: Int) -> String {
    Manifests.service("names").replacing("  - name: webserver", with: "  - name: names\n    protocol: UDP")
      .replacing("port: 8080", with: "port: \(port)")
  }

  @Test("a pod that is killed and replaced loses at most the datagrams in flight", .timeLimit(.minutes(1)))
  func killed() throws {
    let scenario = try Scenario()
    try scenario.write("service-names", service(5300))
    var backends: [ChildProcess] = []
    for host in 1...2 {
      backends.append(try udpBackend(scenario.block.address(host, port: 18080), name: "pod-\(host)"))
      try scenario.writePod(host)
    }
    let process = try scenario.run(until: "5300/UDP → 2 endpoints")
    let listen = scenario.block.address(50, port: 5300)
    let clients = try (0..<40).map { _ in try UDPSocket(on: scenario.block.address(100, port: 0)) }
    for (number, client) in clients.enumerated() {
      for _ in 0..<2 { #expect(try client.ask("who", of: listen) == "pod-\(number % 2 + 1)\n") }
    }
    backends[0].kill()
    // One datagram each tells that it is dead; all others are answered.
    for client in clients { try client.send("who", to: listen) }
    var answered = 0
    for client in clients where try client.receive(until: .after(.milliseconds(100))) != nil { answered += 1 }
    #expect(answered == 20)
    for client in clients { #expect(try client.ask("who", of: listen) == "pod-2\n") }
    #expect(try UDPState(scenario.directory.file("admin")).datagramsIn == 160)

    backends.append(try udpBackend(scenario.block.address(3, port: 18080), name: "pod-3"))
    try scenario.writePod(3)
    try process.waitForLine(containing: "5300/UDP → 3 endpoints")
    try scenario.remove("pod-1")
    try eventually("the dead pod takes no traffic") {
      // A first datagram to a dead pod has no answer.
      let names = try (0..<2).map { _ in
        let client = try UDPSocket(on: scenario.block.address(100, port: 0))
        try client.send("who", to: listen)
        return try client.receive(until: .after(.milliseconds(200)))?.text
      }
      return Set(names) == ["pod-2\n", "pod-3\n"]
    }
    for client in clients { #expect(try client.ask("who", of: listen) == "pod-2\n") }
    let explained = try RoadsteadBinary.run(["explain", "--admin", scenario.admin, "names"]).transcript
    #expect(explained.contains(/flows, \d+ active, \d+ datagrams in/), "\(explained)")
    #expect(process.isRunning)
  }

  @Test("TCP and UDP of one Service share a port number and the pods", .timeLimit(.minutes(1)))
  func bothTransports() throws {
    let scenario = try Scenario()
    let both = Manifests.service("names").replacing(
      "  selector:", with: "  - name: udp\n    protocol: UDP\n    port: 8080\n    targetPort: 18080\n  selector:")
    try scenario.write("service-names", both)
    let backends = try (1...2).map { host in
      try scenario.writePod(host)
      return try udpBackend(scenario.block.address(host, port: 18080), name: "pod-\(host)")
    }
    let process = try scenario.run(until: "8080/TCP,8080/UDP → 2 endpoints")
    try process.waitForLine(containing: "UDP: at most")
    #expect(try curlCounts("http://\(scenario.address)/", 10) == ["pod-1": 5, "pod-2": 5])
    var names: [String: Int] = [:]
    for _ in 0..<10 {
      let client = try UDPSocket(on: scenario.block.address(100, port: 0))
      names[try client.ask("who", of: scenario.address), default: 0] += 1
    }
    #expect(names == ["pod-1\n": 5, "pod-2\n": 5])
    #expect(process.isRunning && backends.allSatisfy { $0.isRunning })
  }
}
