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
      #expect((499...501).contains(run.units))
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
