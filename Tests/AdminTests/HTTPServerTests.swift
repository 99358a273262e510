import Addresses
import Admin
import EventLoop
import TestKit
import Testing

/// What clients get, over real sockets.
@Suite struct HTTPServerTests {
  @Test("a route answers with its body and its length", .timeLimit(.minutes(1)))
  func answers() throws {
    let server = try RunningServer(.hello)
    let text = try server.exchange("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(text.contains("Content-Length: 6\r\n") && text.contains("Content-Type: text/plain; charset=utf-8\r\n"))
    #expect(text.hasSuffix("\r\n\r\nhello\n"))
  }

  @Test("a query is not part of the path, and escapes are decoded", .timeLimit(.minutes(1)))
  func query() throws {
    let server = try RunningServer(.hello)
    #expect(try server.get("/hello?a=/b").status == 200)
    #expect(try server.get("/h%65llo").status == 200)
  }

  @Test("HEAD gets the head that GET gets, and no body", .timeLimit(.minutes(1)))
  func head() throws {
    let server = try RunningServer(.hello)
    let text = try server.exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.contains("Content-Length: 6\r\n"))
    #expect(text.hasSuffix("\r\n\r\n"))
  }

  @Test("an unknown path is 404 for any method", .timeLimit(.minutes(1)), arguments: ["GET", "HEAD", "POST", "BREW"])
  func notFound(method: String) throws {
    let server = try RunningServer(.hello)
    let text = try server.exchange("\(method) /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 404 "))
  }

  @Test(
    "another method on a known path is 405 and names those that are answered", .timeLimit(.minutes(1)),
    arguments: ["POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"])
  func methodNotAllowed(method: String) throws {
    let server = try RunningServer(.hello)
    let text = try server.exchange(
      "\(method) /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 405 ") && text.contains("Allow: GET, HEAD\r\n"))
  }

  @Test(
    "a request with a body is refused before the body is read", .timeLimit(.minutes(1)),
    arguments: ["Content-Length: 1000000000", "Transfer-Encoding: chunked"])
  func body(header: String) throws {
    let server = try RunningServer(.hello)
    let text = try server.exchange("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(header)\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 413 "), "\(text)")
  }

  @Test("30 KB of headers are answered 431", .timeLimit(.minutes(1)))
  func largeHead() throws {
    let server = try RunningServer(.hello)
    let padding = String(repeating: "x", count: 30_000)
    let text = try server.exchange("GET /hello HTTP/1.1\r\nHost: a\r\nX-Padding: \(padding)\r\n\r\n")
    #expect(text.hasPrefix("HTTP/1.1 431 "), "\(text)")
    #expect(try server.get("/hello").status == 200)
  }

  @Test("requests on one connection are answered in turn, also when sent at once", .timeLimit(.minutes(1)))
  func keepAlive() throws {
    let server = try RunningServer(.hello)
    let request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    let last = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    let text = try server.exchange(String(repeating: request, count: 20) + last)
    #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 22)
  }

  @Test("64 connections with 100 requests each are all answered", .timeLimit(.minutes(1)))
  func load() throws {
    let server = try RunningServer(.hello)
    let request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    let streams = try (0..<64).map { _ in try server.connect() }
    for stream in streams { try stream.send(request) }
    let length = try server.exchange(
      "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n".replacing("\r\n\r\n", with: "\r\nConnection: close\r\n\r\n")
    )
    .replacing("Connection: close\r\n", with: "").utf8.count
    for round in 1...100 {
      for stream in streams {
        let text = String(decoding: try stream.receive(exactly: length), as: UTF8.self)
        guard text.hasSuffix("hello\n") else { throw TestFailure("round \(round): \(text)") }
        if round < 100 { try stream.send(request) }
      }
    }
  }

  @Test(
    "garbage ends its own connection and no other", .timeLimit(.minutes(1)),
    arguments: [
      "\u{0}\u{1}\u{2}\u{3}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n",
      "GET /%zz HTTP/1.1\r\n\r\n",
      "GET /hello HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET /hello HTTP/1.1\r\n: \r\n \r\n\r\n",
      "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}",
    ])
  func garbage(bytes: String) throws {
    let server = try RunningServer(.hello, limits: HTTPServer.Limits(idleSeconds: 1))
    let stream = try server.connect()
    try stream.send(bytes)
    try stream.shutdownWrite()
    let (answer, _) = try stream.receiveUntilEnd()
    #expect(answer.isEmpty || String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1."))
    #expect(try server.get("/hello").status == 200)
  }

  @Test("random bytes never end the server", .timeLimit(.minutes(1)))
  func randomBytes() throws {
    var random = SeededRandom(seed: testSeed())
    let server = try RunningServer(.hello)
    let request = Array("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".utf8)
    for _ in 0..<300 {
      var bytes = request
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let stream = try server.connect()
      try stream.send(bytes)
      if Bool.random(using: &random) { stream.reset() } else { stream.close() }
    }
    #expect(try server.get("/hello").status == 200)
  }
}
