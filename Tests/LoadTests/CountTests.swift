import Testing

@testable import roadstead_load

@Suite(.serialized, .timeLimit(.minutes(1))) struct CountTests {
  @Test(arguments: [1, 7, 300]) func `round trips over TCP and UDP count exactly`(concurrency: Int) throws {
    let server = try LoadServer()
    for target in [server.tcp, server.udp] {
      let run = try Loads.ask(target, concurrency: concurrency, count: 1000)
      #expect(run.units == 1000)
      #expect(run.sent == 1000)
      #expect(run.bytes == 64_000)
      #expect(run.errorsByKind == [:])
    }
  }

  @Test func `requests and replies may be longer than any buffer`() throws {
    let server = try LoadServer()
    let run = try Loads.ask(server.tcp, concurrency: 3, request: 1_000_000, reply: 3_000_000, count: 12)
    #expect(run.units == 12)
    #expect(run.bytes == 36_000_000)
    #expect(run.errorsByKind == [:])
  }

  @Test(arguments: [Crowd.Habit.closes, .awaitsClose]) func `connections count exactly`(habit: Crowd.Habit) throws {
    let server = try LoadServer()
    let run = try Loads.ask(server.tcp, habit, concurrency: 10, count: 500)
    #expect(run.units == 500)
    #expect(run.sent == 500)
    #expect(run.errorsByKind == [:])
  }

  @Test(arguments: [Bulk.Direction.up, .down, .both]) func `bytes count exactly`(direction: Bulk.Direction) throws {
    let server = try LoadServer()
    for concurrency in [1, 4] {
      let run = try Loads.move(direction, server.tcp, concurrency: concurrency, count: 12_345_678)
      #expect(run.units == 12_345_678)
      #expect(run.errorsByKind == [:])
    }
  }

  @Test(arguments: [Bulk.Direction.up, .down, .both]) func `bytes count for a time`(direction: Bulk.Direction) throws {
    let server = try LoadServer()
    let run = try Loads.move(direction, server.tcp, concurrency: 2, warmUp: 0.1)
    #expect(run.units > 1_000_000)
    #expect(run.errorsByKind == [:])
  }

  @Test(arguments: [1, 50]) func `the server counts a stream, and no warm-up nor another run`(segments: Int) throws {
    for coalesces in [false, true] {
      let server = try LoadServer(coalesces: coalesces)
      for _ in 0..<2 {
        let run = try Loads.stream(server.udp, concurrency: 3, segments: segments, count: 1234, warmUp: 0.1)
        #expect(run.sent == 1234)
        #expect(run.units + run.lost == 1234)
        #expect(run.bytes == run.units * 1200)
        #expect(run.errorsByKind == [:])
      }
    }
  }

  @Test func `a stream keeps its rate`() throws {
    let server = try LoadServer()
    let run = try Loads.stream(server.udp, concurrency: 2, rate: 5000)
    // 0.3 s of it; a busy machine may have left some out.
    #expect((300...1600).contains(run.sent))
  }

  @Test func `a warm-up is not counted`() throws {
    let server = try LoadServer()
    let run = try Loads.ask(server.tcp, concurrency: 5, count: 100, warmUp: 0.1)
    #expect(run.units == 100)
    #expect(run.phase == .over)
  }

  @Test func `outside an open loop all that counts is completed in the window`() throws {
    let server = try LoadServer()
    let rounds = try Loads.ask(server.tcp, concurrency: 5, seconds: 0.1)
    #expect(rounds.completedInWindow == rounds.units)
    #expect(rounds.drainSeconds == 0)
    #expect(rounds.warnings == [])
    // The server counts a stream, and does not tell when.
    let stream = try Loads.stream(server.udp, count: 50)
    #expect(stream.json(work: "stream", target: server.udp).contains(#""completed_in_window": null, "#))
  }

  @Test func `a window of time ends with what was under way`() throws {
    let server = try LoadServer()
    let run = try Loads.ask(server.udp, concurrency: 5, seconds: 0.2, warmUp: 0.05)
    #expect(run.units > 10)
    #expect(run.underWay == 0)
    #expect(run.errorsByKind == [:])
    #expect(Double(run.windowEnd - run.windowStart) / 1e9 > 0.19)
  }
}
