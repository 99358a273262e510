import Addresses
import TestKit
import Testing

@testable import roadstead_load

@Suite(.serialized, .timeLimit(.minutes(1))) struct OpenLoopTests {
  private static let any = SocketAddress(IPAddress(v4: 127 << 24 | 1), port: 0)

  @Test func `as many requests are sent as were due`() throws {
    let server = try LoadServer()
    for target in [server.tcp, server.udp] {
      let run = try Loads.ask(target, concurrency: 4, rate: 1000, seconds: 0.5, warmUp: 0.1)
      // On a busy machine the window ends a little late.
      let due = Double(run.windowEnd - run.windowStart) / 1e6
      #expect(abs(Double(run.units) - due) <= 1.5 && due >= 500)
      #expect(run.sent == run.units)
      #expect(run.errorsByKind == [:])
    }
  }

  @Test func `a count is exact`() throws {
    let server = try LoadServer()
    let run = try Loads.ask(server.tcp, concurrency: 3, rate: 2000, count: 301, warmUp: 0.05)
    #expect(run.units == 301)
    #expect(run.sent == 301)
  }

  @Test func `a stall shows in all requests that were due meanwhile`() throws {
    // One of some hundred requests stalls; a closed loop would see a single slow one.
    let server = try TestServer(on: Self.any) { stream in
      for number in 1... {
        let request = try stream.receive(exactly: 64)
        if number == 50 { stall(.milliseconds(200)) }
        try stream.send(request)
      }
    }
    let run = try Loads.ask(Target(scheme: .tcp, address: server.address), rate: 500, seconds: 0.6)
    #expect((299...301).contains(run.units))
    #expect(run.errorsByKind == [:])
    // About 100 of the 300 were due while it stalled.
    #expect(run.latency.queued >= 80)
    #expect(run.latency.percentile(99) > 150_000_000)
    #expect(run.latency.percentile(90) > 80_000_000)
    #expect(run.latency.percentile(25) < 100_000_000)
  }

  @Test func `what was due in the window counts, though its reply comes later`() throws {
    let server = try TestServer(on: Self.any) { stream in
      for number in 1... {
        let request = try stream.receive(exactly: 64)
        if number == 20 { stall(.milliseconds(600)) }
        try stream.send(request)
      }
    }
    let run = try Loads.ask(Target(scheme: .tcp, address: server.address), rate: 200, seconds: 0.4)
    #expect((79...81).contains(run.units))
    #expect(run.errorsByKind == [:])
  }

  @Test func `more than a server can do is told from what was asked for`() throws {
    let server = try TestServer(on: Self.any) { stream in
      while true {
        let request = try stream.receive(exactly: 64)
        stall(.milliseconds(5))
        try stream.send(request)
      }
    }
    let run = try Loads.ask(Target(scheme: .tcp, address: server.address), rate: 1000, seconds: 0.3)
    #expect((299...301).contains(run.units))
    #expect(run.errorsByKind == [:])
    // 5 ms each: 60 at most within 0.3 s, the others take 1.2 s.
    #expect((1...62).contains(run.completedInWindow))
    #expect(run.drainSeconds > 1.1)
    let warning = try #require(run.warnings.first)
    #expect(warning.hasPrefix("only \(run.completedInWindow) of \(run.units) replies came within the window of 0.3"))
    let json = run.json(work: "round-trips", target: Target(scheme: .tcp, address: server.address))
    #expect(json.contains(#""completed_in_window": \#(run.completedInWindow), "drain_seconds": 1."#), "\(json)")
  }

  @Test func `what a server can do is completed in the window`() throws {
    let server = try LoadServer()
    let run = try Loads.ask(server.tcp, concurrency: 4, rate: 100, seconds: 0.5)
    #expect(run.completedInWindow >= run.units - 1)
    #expect(run.drainSeconds < 0.1)
    #expect(run.warnings == [])
  }

  @Test func `more than a server can do ends by errors`() throws {
    let server = try TestServer(on: Self.any) { stream in
      while true {
        let request = try stream.receive(exactly: 64)
        stall(.milliseconds(50))
        try stream.send(request)
      }
    }
    let run = try Loads.ask(
      Target(scheme: .tcp, address: server.address), rate: 1000, seconds: 0.3, patience: 0.6)
    #expect((run.errorsByKind[.timeout] ?? 0) > 200)
  }
}
