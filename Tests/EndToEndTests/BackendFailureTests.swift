import Glibc
import TestKit
import Testing

/// Backends that do not answer as they should.
@Suite struct BackendFailureTests {
  @Test("another endpoint takes over for one that refuses, and the client sees nothing of it", .timeLimit(.minutes(1)))
  func refusing() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...2)
    // A manifest without a process: its port is closed.
    try scenario.writePod(3)
    let process = try scenario.run()
    for _ in 0..<30 { #expect(try ["pod-1", "pod-2"].contains(podName(at: scenario.address))) }
    #expect(pods.map(\.acceptedCount).reduce(0, +) == 30)
    #expect(process.isRunning)
  }

  @Test("another endpoint takes over for one that never answers, within the connect timeout", .timeLimit(.minutes(1)))
  func neverAnswering() throws {
    let scenario = try Scenario()
    try scenario.writeService(annotations: ["roadstead.dev/connect-timeout": "3s"])
    let pods = try scenario.pods(1...1)
    try scenario.writePod(2)
    let hole = try BlackHole(on: scenario.block.address(2, port: 18080))
    let process = try scenario.run()
    for _ in 0..<4 {
      let start = ContinuousClock.now
      #expect(try podName(at: scenario.address) == "pod-1")
      // One try gets a third of the timeout; the rest is slack for a busy machine.
      #expect(start.duration(to: .now) < .seconds(2.5))
    }
    #expect(pods[0].acceptedCount == 4)
    #expect(process.isRunning)
    withExtendedLifetime(hole) {}
  }

  @Test(
    "when every endpoint refuses, the client is let go at once and later endpoints are used", .timeLimit(.minutes(1)))
  func allRefusing() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    try scenario.writePod(1)
    try scenario.writePod(2)
    let process = try scenario.run()
    do {
      let client = try TCPStream(to: scenario.address)
      try? client.send("anybody there?")
      #expect(try client.receiveUntilEnd(within: .seconds(6)).bytes.isEmpty)
    } catch let failure as ConnectFailure {
      // The reset may be there before connect(2) has returned.
      #expect(failure.error == ECONNRESET)
    }
    let pod = try scenario.serve(2)
    try eventually("the new backend gets traffic", within: .seconds(20)) {
      (try? podName(at: scenario.address)) == "pod-2"
    }
    #expect(pod.acceptedCount >= 1)
    #expect(process.isRunning)
  }

  @Test("a service without a ready endpoint lets its clients go without an answer", .timeLimit(.minutes(1)))
  func noneReady() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    try scenario.writePod(1, isReady: false)
    let pod = try scenario.serve(1)
    let process = try scenario.run("--drain", "1s", until: "hostname-svc-lb")
    if let client = try? TCPStream(to: scenario.address) {
      #expect(try client.receiveUntilEnd(within: .seconds(6)).bytes.isEmpty)
    }
    #expect(pod.acceptedCount == 0)
    #expect(process.isRunning)
  }

  @Test(
    "a backend that accepts and is silent keeps its client connected", .timeLimit(.minutes(1)),
    arguments: Route.allCases)
  func silent(route: Route) throws {
    let open = try route.open(Handlers.silent)
    let client = try TCPStream(to: open.address)
    try client.send("hello?")
    #expect(throws: TestFailure.self) { _ = try client.receive(within: .seconds(1)) }
    try client.shutdownWrite()
    #expect(try client.receiveUntilEnd().end == .eof)
    open.verify()
  }
}
