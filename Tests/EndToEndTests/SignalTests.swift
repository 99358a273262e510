import Glibc
import TestKit
import Testing

/// How a running `roadstead` ends, and what does not end it.
@Suite struct SignalTests {
  @Test(
    "SIGTERM and SIGINT refuse new connections, let the open one go on to its end, then exit 0",
    .timeLimit(.minutes(1)), arguments: [SIGTERM, SIGINT])
  func drains(signal: CInt) throws {
    let open = try Route.twoShards.open(Handlers.echo)
    let process = try #require(open.process)
    let client = try TCPStream(to: open.address)
    try exchange(client, "before")
    process.signal(signal)
    try eventually("new connections are refused") { try isRefused(open.address) }
    try exchange(client, "after")
    #expect(process.isRunning)
    try client.shutdownWrite()
    #expect(try client.receiveUntilEnd().end == .eof)
    #expect(try process.waitForExit() == .code(0))
  }

  @Test("a process without connections exits at once on SIGTERM, with 0", .timeLimit(.minutes(1)))
  func idle() throws {
    let open = try Route.oneShard.open(Handlers.echo)
    let process = try #require(open.process)
    process.signal(SIGTERM)
    #expect(try process.waitForExit(within: .seconds(3)) == .code(0))
  }

  @Test("a second signal exits at once", .timeLimit(.minutes(1)))
  func secondSignal() throws {
    let open = try Route.oneShard.open(Handlers.echo)
    let process = try #require(open.process)
    let client = try TCPStream(to: open.address)
    try exchange(client, "before")
    process.signal(SIGTERM)
    try eventually("new connections are refused") { try isRefused(open.address) }
    try exchange(client, "after")
    process.signal(SIGTERM)
    try process.waitForExit(within: .seconds(3))
    #expect(try client.receiveUntilEnd().bytes.isEmpty)
  }

  @Test("--drain ends connections that outlive it, and the exit code is still 0", .timeLimit(.minutes(1)))
  func drainIsOver() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...1, Handlers.echo)
    let process = try scenario.run("--drain", "1s")
    let client = try TCPStream(to: scenario.address)
    try exchange(client, "before")
    process.signal(SIGTERM)
    let start = ContinuousClock.now
    #expect(try process.waitForExit(within: .seconds(8)) == .code(0))
    #expect(start.duration(to: .now) >= .milliseconds(900))
    #expect(try client.receiveUntilEnd().bytes.isEmpty)
    #expect(pods.count == 1)
  }

  @Test("SIGPIPE never ends it", .timeLimit(.minutes(1)))
  func brokenPipe() throws {
    let open = try Route.oneShard.open(Handlers.echo)
    let process = try #require(open.process)
    process.signal(SIGPIPE)
    // A client that leaves while bytes are on their way to it makes the kernel raise a real one.
    for _ in 0..<20 {
      let client = try TCPStream(to: open.address)
      try client.send([UInt8](repeating: 1, count: 200_000))
      client.reset()
    }
    try exchange(TCPStream(to: open.address), "still here")
    #expect(process.isRunning)
  }

  @Test("SIGUSR1 prints the state and serving goes on", .timeLimit(.minutes(1)))
  func printsState() throws {
    let scenario = try Scenario()
    try scenario.writeService()
    let pods = try scenario.pods(1...1)
    let process = try scenario.run()
    let before = process.transcript.count
    process.signal(SIGUSR1)
    try eventually("the state is printed") { process.transcript.dropFirst(before).contains("hostname-svc-lb") }
    #expect(try podName(at: scenario.address) == "pod-1")
    #expect(pods.count == 1)
  }
}
