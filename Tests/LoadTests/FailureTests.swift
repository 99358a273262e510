import Addresses
import TestKit
import Testing

@testable import roadstead_load

@Suite(.serialized, .timeLimit(.minutes(1))) struct FailureTests {
  private func target(_ server: TestServer, _ scheme: Target.Scheme = .tcp) -> Target {
    Target(scheme: scheme, address: server.address, path: "/")
  }

  private static let any = SocketAddress(IPAddress(v4: 127 << 24 | 1), port: 0)

  @Test func `a server that resets is counted, and asked again`() throws {
    let server = try TestServer(on: Self.any) { stream in
      _ = try stream.receive(exactly: 64)
      stream.reset()
    }
    let run = try Loads.ask(target(server), concurrency: 2, seconds: 0.5)
    #expect(run.units == 0)
    // Twice at the least: a failed client comes back within a moment.
    #expect((run.errorsByKind[.reset] ?? 0) > 2)
    #expect(run.errors.total == run.errorsByKind[.reset])
  }

  @Test func `a server that closes in the middle of a reply is counted`() throws {
    let server = try TestServer(on: Self.any) { stream in
      let request = try stream.receive(exactly: 64)
      try stream.send(Array(request[..<40]))
    }
    let run = try Loads.ask(target(server))
    #expect(run.units == 0)
    #expect(run.errors.total > 0 && run.errors.total == run.errorsByKind[.earlyClose])
  }

  @Test(arguments: [3, 30, 70]) func `a wrong reply is counted`(changed: Int) throws {
    let server = try TestServer(on: Self.any) { stream in
      while true {
        var reply = try stream.receive(exactly: 64)
        if changed < 64 { reply[changed] ^= 1 } else { reply.append(0) }
        try stream.send(reply)
      }
    }
    let run = try Loads.ask(target(server))
    #expect(run.units == 0)
    #expect(run.errors.total > 0 && run.errors.total == run.errorsByKind[.wrongReply])
  }

  @Test func `a reply in pieces is right`() throws {
    let server = try TestServer(on: Self.any) { stream in
      while true {
        let reply = try stream.receive(exactly: 64)
        for piece in [reply[..<5], reply[5..<31], reply[31..<33], reply[33...]] {
          try stream.send(Array(piece))
          stall(.milliseconds(2))
        }
      }
    }
    let run = try Loads.ask(target(server), count: 5)
    #expect(run.units == 5)
    #expect(run.errorsByKind == [:])
  }

  @Test func `a port that nobody listens on is refused`() throws {
    let block = try LoopbackBlock()
    for scheme in [Target.Scheme.tcp, .udp] {
      let run = try Loads.ask(Target(scheme: scheme, address: try block.closedPort(1)), concurrency: 2)
      #expect(run.units == 0)
      #expect(run.errors.total > 0 && run.errors.total == run.errorsByKind[.refused])
    }
  }

  @Test func `errors without end are given up`() throws {
    let block = try LoopbackBlock()
    let run = try Loads.ask(
      Target(scheme: .tcp, address: try block.closedPort(1)), concurrency: 400, seconds: 30)
    #expect(run.errors.total == Run.mostErrors)
  }

  @Test(arguments: [Crowd.Habit.stays, .asksAgain]) func `refused for too long is given up`(habit: Crowd.Habit) throws {
    let block = try LoopbackBlock()
    let run = try Loads.ask(
      Target(scheme: .tcp, address: try block.closedPort(1)), habit, seconds: .infinity, patience: 0.5)
    #expect((1...10).contains(run.errorsByKind[.refused] ?? 0))
    #expect(run.errorsByKind[.timeout] == 1)
  }

  @Test func `an idle connection that fails after a long rest is opened again`() throws {
    let first = Mailbox<Bool>()
    first.post(true)
    let server = try TestServer(on: Self.any) { stream in
      try stream.send(try stream.receive(exactly: 64))
      let isFirst = (try? first.next(within: .zero)) != nil
      if isFirst { stall(.milliseconds(900)) } else { _ = try stream.receive() }
    }
    let run = try Loads.ask(target(server), .stays, seconds: 1.5, patience: 0.4)
    #expect(run.units == 2)
    #expect(run.errorsByKind == [.earlyClose: 1])
  }

  @Test func `one failure does not cost an exact count`() throws {
    let first = Mailbox<Bool>()
    first.post(true)
    let server = try TestServer(on: Self.any) { stream in
      let isFirst = (try? first.next(within: .zero)) != nil
      for number in 0... {
        let request = try stream.receive(exactly: 64)
        if isFirst, number == 3 { return stream.reset() }
        try stream.send(request)
      }
    }
    let run = try Loads.ask(target(server), concurrency: 1, count: 20)
    #expect(run.units == 20)
    #expect(run.sent == 21)
    #expect(run.errorsByKind == [.reset: 1])
  }

  @Test(arguments: [Target.Scheme.tcp, .http]) func `a server that never answers ends the run`(
    scheme: Target.Scheme
  ) throws {
    let server = try TestServer(on: Self.any, Handlers.silent)
    let run = try Loads.ask(target(server, scheme), concurrency: 3, seconds: 60, patience: 0.5)
    #expect(run.units == 0)
    #expect((run.errorsByKind[.timeout] ?? 0) >= 3)
  }

  @Test func `an upload that does not go on ends the run`() throws {
    let server = try TestServer(on: Self.any, receiveBuffer: 4096) { stream in
      _ = try stream.receive(exactly: 1)
      stall(.seconds(3))
    }
    let run = try Loads.move(.up, target(server), seconds: 0.2, patience: 0.5)
    #expect(run.errors.total > 0)
    #expect(run.phase == .over)
  }

  @Test func `an upload of which the server counts too little is wrong`() throws {
    let server = try TestServer(on: Self.any) { stream in
      _ = try stream.receiveUntilEnd()
      try stream.send([0, 0, 0, 0, 0, 0, 0, 9])
    }
    let run = try Loads.move(.up, target(server), count: 100_000)
    #expect(run.errorsByKind == [.wrongReply: 1])
  }

  @Test func `a connection that does not come about ends the run`() throws {
    let hole = try BlackHole(on: Self.any)
    let run = try Loads.ask(
      Target(scheme: .tcp, address: hole.address), concurrency: 2, seconds: 60, patience: 0.5)
    #expect(run.units == 0)
    #expect(run.errors.total >= 2)
  }
}
