import Glibc
import TestKit
import Testing

/// What `run` makes of bad input: one clear line for each, and everything else goes on.
@Suite struct BadInputTests {
  @Test(
    "an unknown flag is a usage error: exit code 2, and the flag is named", .timeLimit(.minutes(1)),
    arguments: ["run", "check", "status"])
  func unknownFlag(subcommand: String) throws {
    let result = try RoadsteadBinary.run([subcommand, "--colour", "blue"])
    #expect(result.exit == .code(2))
    #expect(result.transcript.contains("--colour"), "\(result.transcript)")
  }

  @Test("run without anything to serve is a usage error", .timeLimit(.minutes(1)))
  func nothingToServe() throws {
    let result = try RoadsteadBinary.run(["run", "--admin", "none"])
    #expect(result.exit == .code(2))
    #expect(!result.transcript.isEmpty)
  }

  @Test(
    "an address or a number that is none is a usage error that repeats it", .timeLimit(.minutes(1)),
    arguments: [
      ["--listen", "tcp://127.0.0.1:99999", "--to", "127.0.0.1:1"],
      ["--listen", "tcp://127.0.0.1:1000", "--to", "localhorst"],
      ["--listen", "tcp://127.0.0.1:1000", "--to", "127.0.0.1:1", "--shards", "many"],
      ["--listen", "tcp://127.0.0.1:1000", "--to", "127.0.0.1:1", "--drain", "tomorrow"],
    ])
  func badValue(arguments: [String]) throws {
    let result = try RoadsteadBinary.run(["run", "--admin", "none"] + arguments)
    #expect(result.exit == .code(2))
    let values = ["99999", "localhorst", "many", "tomorrow"]
    #expect(values.contains { result.transcript.contains($0) }, "\(result.transcript)")
    #expect(result.transcript.contains("must be"), "\(result.transcript)")
  }

  @Test(
    "a usage error is one line that tells where the help is", .timeLimit(.minutes(1)),
    arguments: [
      (["run"], "roadstead run --help"), (["check"], "roadstead check --help"),
      (["run", "--colour"], "roadstead run --help"), (["explain"], "roadstead explain --help"),
      (["run", "-f", ".", "--log-level", "loud"], "critical (see roadstead run --help)"),
      (["run", "-f", ".", "--announce", "bgp"], "'auto', 'none' or 'layer2'"),
      (["run", "-f", ".", "--probe-time", "200ms"], "must be at least 300ms and at most 10s"),
      (["run", "-f", ".", "--probe-time", "11s"], "must be at least 300ms and at most 10s"),
      (["run", "--listen", "127.0.0.1:1"], "--to is missing"), (["serve"], "roadstead --help"),
      (["backend", "127.0.0.1:1"], "roadstead backend --help"),
    ])
  func oneLine(arguments: [String], part: String) throws {
    let result = try RoadsteadBinary.run(arguments)
    #expect(result.exit == .code(2))
    #expect(result.output.isEmpty && result.error.count == 1, "\(result.transcript)")
    #expect(result.transcript.contains(part), "\(result.transcript)")
  }

  @Test("run on a directory without manifests says so and exits with 1", .timeLimit(.minutes(1)))
  func emptyDirectory() throws {
    let directory = try TemporaryDirectory()
    try directory.write("notes.txt", "no manifest")
    let result = try RoadsteadBinary.run(["run", "-f", directory.path, "--admin", "none"])
    #expect(result.exit == .code(1))
    #expect(result.error.count == 1, "\(result.transcript)")
    #expect(result.transcript.contains(directory.path) && result.transcript.contains("*.yaml"), "\(result.transcript)")
  }

  @Test("an admin address in use ends with exit code 3 and names the flag", .timeLimit(.minutes(1)))
  func adminInUse() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let other = try TCPListener(on: scenario.block.address(50, port: 8080))
    let result = try RoadsteadBinary.run(["run", "-f", scenario.manifests, "--admin", "\(other.address)"])
    #expect(result.exit == .code(3))
    #expect(result.error.count == 1, "\(result.transcript)")
    #expect(
      result.transcript.contains("\(other.address)") && result.transcript.contains("--admin"), "\(result.transcript)")
  }

  @Test("run exits with 1 when nothing could be read at the start, naming the file", .timeLimit(.minutes(1)))
  func missingFile() throws {
    let result = try RoadsteadBinary.run(["run", "-f", "/nonexistent/manifests", "--admin", "none"])
    #expect(result.exit == .code(1))
    #expect(result.error.count { $0.contains("/nonexistent/manifests") } == 1, "\(result.transcript)")
  }

  @Test("run serves what is valid and prints a line for what is not", .timeLimit(.minutes(1)))
  func servesTheRest() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...1)
    try scenario.write("broken", "kind: Service\nspec: [unclosed\n")
    try scenario.write("wrong", Manifests.service("wrong").replacing("port: 8080", with: "port: eighty"))
    let process = try scenario.run()
    try process.waitForLine(containing: "broken.yaml:")
    let line = try process.waitForLine(containing: "wrong.yaml:")
    #expect(line.contains("Service/wrong") && line.contains("spec.ports[0].port"), "\(line)")
    #expect(try podName(at: scenario.address) == "pod-1")
    #expect(pods.count == 1)
  }

  @Test("a service for which the pool has no address is named, and the others serve", .timeLimit(.minutes(1)))
  func exhaustedPool() throws {
    let scenario = try Scenario()
    try scenario.write("pool", Manifests.pool(scenario.block.address(50), scenario.block.address(51)))
    for name in ["a", "b", "c"] { try scenario.writeService(name) }
    let pods = try scenario.pods(1...1)
    let process = try scenario.run(until: "default/b")
    let line = try process.waitForLine(containing: "default/c")
    #expect(line.contains("lab"), "\(line)")
    #expect(try podName(at: scenario.address) == "pod-1")
    #expect(try podName(at: scenario.block.address(51, port: 8080)) == "pod-1")
    #expect(pods.count == 1)
  }

  @Test(
    "an address that another process uses is named, with SO_REUSEPORT or without, and the others serve",
    .timeLimit(.minutes(1)), arguments: [false, true])
  func addressInUse(reusePort: Bool) throws {
    let scenario = try Scenario()
    try scenario.writeService("a-taken")
    try scenario.writeService("b-free")
    let pods = try scenario.pods(1...1)
    let other = try TCPListener(on: scenario.address, reusePort: reusePort)
    let process = try scenario.run(until: "default/b-free")
    let line = try process.waitForLine(containing: "\(scenario.address)")
    #expect(line.contains("in use") && line.contains("default/a-taken"), "\(line)")
    #expect(try podName(at: scenario.block.address(51, port: 8080)) == "pod-1")
    // The other process still gets its own connections, all of them.
    let clients = try (0..<16).map { _ in try TCPStream(to: scenario.address) }
    for _ in clients { _ = try other.accept() }
    #expect(process.isRunning && pods.count == 1)
  }

  @Test("--listen on an address in use ends with exit code 3 and names it", .timeLimit(.minutes(1)))
  func listenInUse() throws {
    let block = try LoopbackBlock()
    let other = try TCPListener(on: block.address(50, port: 8080))
    let result = try RoadsteadBinary.run([
      "run", "--listen", "tcp://\(other.address)", "--to", "\(block.address(1, port: 1))", "--admin", "none",
    ])
    #expect(result.exit == .code(3))
    #expect(result.error.contains { $0.contains("\(other.address)") }, "\(result.transcript)")
  }

  @Test(
    "a port that needs a privilege is named, and the others serve", .timeLimit(.minutes(1)),
    .enabled(if: Unprivileged.reason == nil, "\(Unprivileged.reason ?? "")"))
  func noPermission() throws {
    let scenario = try Scenario()
    try scenario.write("service-a", Manifests.service("a-low", port: 81))
    try scenario.writeService("b-high")
    let pods = try scenario.pods(1...1)
    let process = try Unprivileged.start(["run", "-f", scenario.manifests, "--admin", "none"])
    let line = try process.waitForLine(containing: "\(scenario.block.address(50, port: 81))")
    #expect(line.lowercased().contains("permi"), "\(line)")
    try process.waitForLine(containing: "default/b-high")
    #expect(try podName(at: scenario.block.address(51, port: 8080)) == "pod-1")
    #expect(pods.count == 1)
  }
}

/// Running `roadstead` without privileges, also from a test that has them.
enum Unprivileged {
  /// Why that is not possible here; nil when it is.
  static let reason: String? = {
    let lowest = (try? readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")).flatMap {
      Int($0.filter(\.isNumber))
    }
    guard let lowest, lowest > 81 else { return "this system lets everyone bind low ports" }
    guard geteuid() == 0 else { return nil }
    guard let finished = try? run("setpriv", words(["--version"])) else { return "no setpriv to give up root with" }
    return finished.exit == .code(0) ? nil : "nobody cannot run \(RoadsteadBinary.path ?? "the binary")"
  }()

  static func start(_ arguments: [String]) throws -> ChildProcess {
    geteuid() == 0 ? try ChildProcess("setpriv", words(arguments)) : try RoadsteadBinary.start(arguments)
  }

  private static func words(_ arguments: [String]) -> [String] {
    ["--reuid=65534", "--regid=65534", "--clear-groups", RoadsteadBinary.path ?? "roadstead"] + arguments
  }
}
