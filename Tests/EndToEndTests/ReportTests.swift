import Foundation
import TestKit
import Testing

/// What `--version`, `explain`, `status` and the admin port say.
@Suite struct ReportTests {
  @Test("--version prints a version", .timeLimit(.minutes(1)))
  func version() throws {
    let result = try RoadsteadBinary.run(["--version"])
    #expect(result.exit == .code(0))
    #expect(result.output.count == 1 && result.output[0].contains(/[0-9]+\.[0-9]+\.[0-9]+/), "\(result.transcript)")
  }

  @Test(
    "explain -f says which address, which endpoints take traffic, and why another does not", .timeLimit(.minutes(1)))
  func explainsFiles() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    try scenario.writePod(1)
    try scenario.writePod(2, isReady: false)
    try scenario.writePod(3, app: "other")
    let result = try RoadsteadBinary.run(["explain", "-f", scenario.manifests, "hostname-svc-lb"])
    #expect(result.exit == .code(0))
    let text = result.output.joined(separator: "\n")
    for part in [scenario.address.address, scenario.block.address(1), scenario.block.address(2)] {
      #expect(text.contains("\(part)"), "\(text)")
    }
    #expect(text.lowercased().contains("not ready"), "\(text)")
    #expect(!text.contains("listens") && !text.contains("total"), "nothing runs, so nothing is counted: \(text)")
    #expect(text.contains("label app=other does not match app: webserver"), "\(text)")
    let unknown = try RoadsteadBinary.run(["explain", "-f", scenario.manifests, "default/nonesuch"])
    #expect(unknown.exit == .code(1))
    #expect(unknown.transcript.contains("nonesuch"))
  }

  @Test("explain names the policy in force: maglev where the Service has sessionAffinity", .timeLimit(.minutes(1)))
  func explainsAffinity() throws {
    let scenario = try Scenario()
    let text = Manifests.service("sticky").replacing("spec:", with: "spec:\n  sessionAffinity: ClientIP")
    try scenario.write("service", text)
    let result = try RoadsteadBinary.run(["explain", "-f", scenario.manifests, "sticky"])
    #expect(result.output.contains("  balance  maglev"), "\(result.transcript)")
  }

  @Test("status shows the service as the design's example has it", .timeLimit(.minutes(1)))
  func status() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...2)
    let process = try scenario.run()
    let table = try RoadsteadBinary.run(["status", "--admin", scenario.admin])
    #expect(table.exit == .code(0))
    let address = NSRegularExpression.escapedPattern(for: "\(scenario.address.address)")
    let row = try Regex("hostname-svc-lb +LoadBalancer +\(address) +8080/TCP")
    #expect(table.output.contains { $0.contains(row) }, "\(table.transcript)")
    let json = try RoadsteadBinary.run(["status", "--admin", scenario.admin, "-o", "json"])
    #expect(json.exit == .code(0))
    _ = try JSONSerialization.jsonObject(with: Data(json.output.joined(separator: "\n").utf8))
    let explained = try RoadsteadBinary.run(["explain", "--admin", scenario.admin, "default/hostname-svc-lb"])
    #expect(explained.exit == .code(0))
    #expect(explained.output.contains { $0.contains("\(scenario.block.address(2))") }, "\(explained.transcript)")
    #expect(process.isRunning && pods.count == 2)
  }

  @Test("status says clearly that nobody is there", .timeLimit(.minutes(1)))
  func nobodyThere() throws {
    let block = try LoopbackBlock()
    let address = try block.closedPort(1)
    let result = try RoadsteadBinary.run(["status", "--admin", "\(address)"])
    #expect(result.exit == .code(3))
    #expect(result.error.count == 1 && result.transcript.contains("\(address)"), "\(result.transcript)")
  }

  @Test("the admin port answers over TCP and over a unix socket", .timeLimit(.minutes(1)), arguments: ["tcp", "unix"])
  func admin(kind: String) throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...2)
    let address = scenario.block.address(200, port: 9900)
    let process = try RoadsteadBinary.start([
      "run", "-f", scenario.manifests, "--admin", kind == "tcp" ? "\(address)" : scenario.admin,
    ])
    try process.waitForLine(containing: "→ 2 endpoints")
    let base = kind == "tcp" ? "http://\(address)" : "http://localhost"
    let options = kind == "tcp" ? [] : ["--unix-socket", scenario.directory.file("admin")]
    #expect(try curlStatus("\(base)/healthz", options) == 200)
    try eventually("it is ready") { try curlStatus("\(base)/readyz", options) == 200 }
    let text = try curl("\(base)/api/v1/state", options)
    let state = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let services = try #require(state["services"] as? [[String: Any]])
    #expect(services.count == 1)
    for part in [
      "hostname-svc-lb", "\(scenario.address.address)", "\(scenario.block.address(1))", "\(scenario.block.address(2))",
    ] {
      #expect(text.contains(part), "\(text)")
    }
    #expect(try curlStatus("\(base)/nonesuch", options) == 404)
    #expect(try curlStatus("\(base)/api/v1/state", options + ["--request", "DELETE"]) == 405)
    #expect(pods.count == 2)
  }

  @Test("a stale socket of a process that died is replaced, one in use is not", .timeLimit(.minutes(1)))
  func staleSocket() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    try scenario.writePod(1)
    let first = try scenario.run()
    first.kill()
    let second = try scenario.run()
    #expect(try scenario.get("/healthz").isEmpty == false)
    let third = try RoadsteadBinary.run(["run", "-f", scenario.manifests, "--admin", scenario.admin])
    #expect(third.exit == .code(3))
    #expect(third.transcript.contains(scenario.directory.file("admin")), "\(third.transcript)")
    #expect(second.isRunning)
  }
}
