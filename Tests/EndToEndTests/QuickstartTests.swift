import Foundation
import TestKit
import Testing

/// DESIGN's running example: a Service's manifest becomes a load balancer.
@Suite struct QuickstartTests {
  @Test(
    "30 requests reach each of three labelled pods 10 times, and the pod without the label never",
    .timeLimit(.minutes(1)), arguments: [1, 2])
  func spreadsEvenly(shards: Int) throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let backends = try (1...4).map { host in
      try scenario.writePod(host, app: host == 4 ? "other" : "webserver")
      return try RoadsteadBinary.start([
        "backend", "\(scenario.block.address(host, port: 18080))", "--name", "pod-\(host)",
      ])
    }
    for host in 1...4 {
      let address = scenario.block.address(host, port: 18080)
      try eventually("pod-\(host) answers") { (try? podName(at: address)) == "pod-\(host)" }
    }
    let process = try scenario.run("--shards", "\(shards)")
    let counts = try curlCounts("http://\(scenario.address)/", 30)
    #expect(counts == ["pod-1": 10, "pod-2": 10, "pod-3": 10])
    #expect(process.isRunning)
    #expect(backends.allSatisfy { $0.isRunning })
  }

  @Test("run prints the service, its address, its port and its endpoints in one line", .timeLimit(.minutes(1)))
  func printsTheService() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...3)
    let process = try scenario.run()
    let line = try process.waitForLine(containing: "hostname-svc-lb", from: .output)
    #expect(line == "default/hostname-svc-lb  \(scenario.address.address)  8080/TCP → 3 endpoints")
    #expect(pods.count == 3)
  }

  @Test("the demo needs no files and prints a curl line that answers", .timeLimit(.minutes(1)))
  func demo() throws {
    try FixedAddresses.exclusively {
      let process = try RoadsteadBinary.start(["demo"])
      let line = try process.waitForLine(containing: "curl http", within: .seconds(15))
      let start = try #require(line.range(of: "http://"))
      let url = String(line[start.lowerBound...].prefix { !" '\"`".contains($0) })
      let counts = try curlCounts(url, 30)
      #expect(counts.count == 3)
      #expect(Set(counts.values) == [10])
      process.signal(SIGTERM)
      #expect(try process.waitForExit(within: .seconds(10)) == .code(0))
    }
  }
}
