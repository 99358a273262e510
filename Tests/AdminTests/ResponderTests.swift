import Admin
import EventLoop
import TestKit
import Testing

/// Answers that come later, from elsewhere, or never.
@Suite struct ResponderTests {
  private static let request = "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

  private func routes(_ responders: Mailbox<HTTPResponder>) -> RouteTable {
    var routes = RouteTable.hello
    routes.route("/later") { _, responder in responders.post(responder) }
    return routes
  }

  @Test("an answer may come later from another thread, and others do not wait for it", .timeLimit(.minutes(1)))
  func later() throws {
    let responders = Mailbox<HTTPResponder>()
    let server = try RunningServer(routes(responders), limits: HTTPServer.Limits(idleSeconds: 1))
    let stream = try server.connect()
    try stream.send(Self.request)
    let responder = try responders.next()
    #expect(try server.get("/hello").status == 200)
    // Longer than the idle time: who waits for an answer is not idle.
    stall(.milliseconds(2500))
    let thread = try TestThread { responder.respond(.text("at last")) }
    #expect(String(decoding: try stream.receiveUntilEnd().bytes, as: UTF8.self).hasSuffix("\r\n\r\nat last\n"))
    thread.join()
  }

  @Test("a client that left before the answer harms nobody", .timeLimit(.minutes(1)), arguments: [true, false])
  func clientGone(resets: Bool) throws {
    let responders = Mailbox<HTTPResponder>()
    let server = try RunningServer(routes(responders))
    let stream = try server.connect()
    try stream.send(Self.request)
    let responder = try responders.next()
    if resets { stream.reset() } else { stream.close() }
    responder.respond(HTTPResponse(body: [UInt8](repeating: 7, count: 1 << 20)))
    #expect(try server.get("/hello").status == 200)
  }

  @Test("only the first answer counts", .timeLimit(.minutes(1)))
  func twice() throws {
    let responders = Mailbox<HTTPResponder>()
    let server = try RunningServer(routes(responders))
    let stream = try server.connect()
    try stream.send(Self.request)
    let responder = try responders.next()
    responder.respond(.text("first"))
    responder.respond(.text("second"))
    #expect(String(decoding: try stream.receiveUntilEnd().bytes, as: UTF8.self).hasSuffix("\r\n\r\nfirst\n"))
  }

  @Test("a responder that is dropped answers 500", .timeLimit(.minutes(1)))
  func dropped() throws {
    var routes = RouteTable()
    routes.routeEverythingElse { _, _ in }
    let server = try RunningServer(routes)
    #expect(try server.get("/").status == 500)
  }

  @Test("stopping answers 503 to who still waits, and a late answer is dropped", .timeLimit(.minutes(1)))
  func stopped() throws {
    let responders = Mailbox<HTTPResponder>()
    let server = try RunningServer(routes(responders))
    let stream = try server.connect()
    try stream.send(Self.request)
    let responder = try responders.next()
    server.stop()
    responder.respond(.text("too late"))
    #expect(String(decoding: try stream.receiveUntilEnd().bytes, as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
  }

  @Test("a body of 8 MiB arrives whole", .timeLimit(.minutes(1)))
  func largeBody() throws {
    let body = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var routes = RouteTable()
    routes.route("/large") { _, responder in responder.respond(HTTPResponse(body: body)) }
    let server = try RunningServer(routes)
    #expect(try server.get("/large").body == body)
    #expect(throws: AdminError(.answer, "the answer of \(server.address) is longer than 1000 bytes")) {
      try AdminClient(server.address, maximumBytes: 1000).get("/large")
    }
  }
}
