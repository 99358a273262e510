import TestKit
import Testing

/// `--state DIR`: addresses survive a restart.
@Suite struct StateTests {
  @Test("a service keeps its address over a restart though another now comes before it", .timeLimit(.minutes(1)))
  func keepsTheAddress() throws {
    let scenario = try Scenario()
    let state = try scenario.directory.makeDirectory("state")
    try scenario.writeService("zebra")
    let pods = try scenario.pods(1...1)
    let first = try scenario.run("--state", state)
    let line = try first.waitForLine(containing: "default/zebra")
    #expect(line.contains(" \(scenario.block.address(50)) "))
    first.signal(15)
    #expect(try first.waitForExit() == .code(0))
    #expect(!listDirectory(state).isEmpty)

    try scenario.writeService("aardvark")
    let second = try scenario.run("--state", state, until: "default/aardvark")
    #expect(try second.waitForLine(containing: "default/zebra").contains(" \(scenario.block.address(50)) "))
    #expect(try second.waitForLine(containing: "default/aardvark").contains(" \(scenario.block.address(51)) "))
    #expect(pods.count == 1)
  }

  @Test(
    "a state file that is truncated or not ours is refused by name and never overwritten",
    .timeLimit(.minutes(1)), arguments: ["truncated", "foreign", "empty"])
  func refusesADamagedFile(kind: String) throws {
    let scenario = try Scenario()
    let state = try scenario.directory.makeDirectory("state")
    try scenario.writeService()
    try scenario.writePod(1)
    let first = try scenario.run("--state", state)
    first.signal(15)
    try first.waitForExit()
    let name = try #require(listDirectory(state).first { !$0.hasPrefix(".") })
    let good = try readFile("\(state)/\(name)")
    let damaged =
      switch kind {
      case "truncated": String(good.prefix(good.count / 2))
      case "foreign": "[this is somebody else's file]\n"
      default: ""
      }
    try scenario.directory.write("state/\(name)", damaged)
    let second = try scenario.run("--state", state, until: nil)
    let exit = try second.waitForExit()
    #expect(exit == .code(1) || exit == .code(3))
    #expect(second.error.filter { $0.contains("\(state)/\(name)") }.count == 1, "\(second.transcript)")
    #expect(try readFile("\(state)/\(name)") == damaged)
  }
}
