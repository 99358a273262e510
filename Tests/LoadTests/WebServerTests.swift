import Addresses
import TestKit
import Testing

@testable import roadstead_load

@Suite(.serialized, .timeLimit(.minutes(1))) struct WebServerTests {
  private static let any = SocketAddress(IPAddress(v4: 127 << 24 | 1), port: 0)

  private func target(_ server: TestServer) -> Target {
    Target(scheme: .http, address: server.address, path: "/some/path")
  }

  @Test func `a web server is asked over a connection that stays`() throws {
    let requests = Mailbox<String>()
    let server = try TestServer(on: Self.any) { stream in
      while case .bytes(let bytes) = try stream.receive() {
        requests.post(String(decoding: bytes, as: UTF8.self))
        try stream.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
      }
    }
    let run = try Loads.ask(target(server), concurrency: 2, count: 20)
    #expect(run.units == 20)
    #expect(run.errorsByKind == [:])
    #expect(server.acceptedCount <= 2)
    #expect(try requests.next() == "GET /some/path HTTP/1.1\r\nHost: \(server.address)\r\n\r\n")
  }

  @Test func `a new connection for each request, which the server closes`() throws {
    let server = try TestServer(on: Self.any, Handlers.name("yes"))
    let run = try Loads.ask(target(server), .awaitsClose, concurrency: 2, count: 20)
    #expect(run.units == 20)
    #expect(run.errorsByKind == [:])
    #expect(server.acceptedCount == 20)
  }

  @Test func `a server that closes after its reply is asked again over another connection`() throws {
    let server = try TestServer(on: Self.any) { stream in
      _ = try stream.receive()
      try stream.send("HTTP/1.1 200 OK\r\n\r\nuntil the end")
    }
    let run = try Loads.ask(target(server), count: 5)
    #expect(run.units == 5)
    #expect(run.errorsByKind == [:])
  }

  private static let lastReplies = [
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes", "HTTP/1.1 200 OK\r\n\r\nyes",
  ]

  @Test(arguments: lastReplies, [nil, 200.0]) func `a close that is announced is no error, in either loop`(
    lastReply: String, rate: Double?
  ) throws {
    let requests = Mailbox<Int>()
    let server = try TestServer(on: Self.any) { stream in
      for number in 1...3 {
        guard case .bytes = try stream.receive() else { return }
        requests.post(number)
        try stream.send(number < 3 ? "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes" : lastReply)
      }
    }
    let run = try Loads.ask(target(server), concurrency: 2, rate: rate, count: 40)
    #expect(run.units == 40)
    #expect(run.sent == 40)
    #expect(run.errorsByKind == [:])
    #expect(server.acceptedCount >= 13)
    // In an open loop each of the two asks once to begin with, and one request may be due just before the window begins;
    // to connect again asks for nothing.
    #expect(rate == nil ? requests.all.count == 40 : (42...43).contains(requests.all.count))
  }

  @Test func `a failure of the server is a wrong reply`() throws {
    let server = try TestServer(on: Self.any) { stream in
      _ = try stream.receive()
      try stream.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    }
    let run = try Loads.ask(target(server))
    #expect(run.errors.total > 0 && run.errors.total == run.errorsByKind[.wrongReply])
  }
}
