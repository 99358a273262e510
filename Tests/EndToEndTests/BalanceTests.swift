import TestKit
import Testing

/// Balancing policies, seen from outside.
@Suite struct BalanceTests {
  @Test(
    "least-connections holds exactly as many connections on each endpoint, over shards", .timeLimit(.minutes(1)),
    arguments: [1, 2])
  func leastConnections(shards: Int) throws {
    let scenario = try Scenario()
    try scenario.writeService(annotations: ["roadstead.dev/balance": "least-connections"])
    let left = Mailbox<Int>()
    let pods = try (1...4).map { host in
      try scenario.writePod(host)
      return try scenario.serve(host) { stream in
        try stream.send("\(host)")
        _ = try stream.receiveUntilEnd(within: .seconds(60))
        left.post(host)
      }
    }
    let process = try scenario.run("--shards", "\(shards)")
    func connect() throws -> (host: Int, stream: TCPStream) {
      let stream = try TCPStream(to: scenario.address)
      let digit = try stream.receive(exactly: 1)[0]
      return (Int(digit) - 48, stream)
    }
    var held = try (0..<40).map { _ in try connect() }
    #expect(pods.map(\.acceptedCount) == [10, 10, 10, 10])
    // Whoever gets room gets the next ones, all of them.
    for (host, stream) in held where host == 2 { try stream.shutdownWrite() }
    for (host, stream) in held where host == 2 { _ = try stream.receiveUntilEnd() }
    for _ in 0..<10 { #expect(try left.next() == 2) }
    held.removeAll { $0.host == 2 }
    for _ in 0..<10 { held.append(try connect()) }
    #expect(held.count { $0.host == 2 } == 10)
    #expect(process.isRunning)
    withExtendedLifetime(pods) {}
  }

  @Test("maglev sends a source to the same endpoint on two instances", .timeLimit(.minutes(1)))
  func maglev() throws {
    let scenario = try Scenario()
    let pods = try scenario.pods(1...5)
    let service = Manifests.service("hashed", annotations: ["roadstead.dev/balance": "maglev"])
    // The same pods in front of two instances with addresses of their own; the second reads them in another order.
    let instances = try [(50, "1", 1...5), (51, "2", 1...5)].map { host, shards, hosts in
      let address = scenario.block.address(host)
      let files = hosts.map { Manifests.pod("pod-\($0)", scenario.block.address($0)) }
      let ordered = shards == "1" ? files : files.reversed()
      let file = try scenario.directory.write(
        "instance-\(host).yaml", Manifests.pool(address, address) + service + ordered.joined())
      let process = try RoadsteadBinary.start(["run", "-f", file, "--shards", shards, "--admin", "none"])
      try process.waitForLine(containing: "→ 5 endpoints")
      return process
    }
    var used: Set<String> = []
    for host in 100..<140 {
      let source = scenario.block.address(host, port: 0)
      let first = try podName(at: scenario.block.address(50, port: 8080), from: source)
      let again = try podName(at: scenario.block.address(50, port: 8080), from: source)
      let second = try podName(at: scenario.block.address(51, port: 8080), from: source)
      #expect(first == again && first == second)
      used.insert(first)
    }
    #expect(used.count >= 4, "40 sources use \(used.sorted())")
    #expect(instances.allSatisfy { $0.isRunning } && pods.count == 5)
  }

  @Test("random-two-choices uses every endpoint", .timeLimit(.minutes(1)))
  func randomTwoChoices() throws {
    let scenario = try Scenario()
    try scenario.writeService(annotations: ["roadstead.dev/balance": "random-two-choices"])
    let pods = try scenario.pods(1...3)
    let process = try scenario.run()
    for _ in 0..<120 { _ = try podName(at: scenario.address) }
    // Each expects 40; below 10 has a probability under 1 in 10^9.
    for pod in pods { #expect(pod.acceptedCount >= 10) }
    #expect(process.isRunning)
  }
}
