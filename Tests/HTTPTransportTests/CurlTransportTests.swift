import Glibc
import HTTPTransport
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct CurlTransportTests {
  @Test func `a request's method, headers, token and body arrive, and its answer comes back`() async throws {
    let seen = Mailbox<String>()
    let rig = try Rig { stream in
      while let (head, body) = try stream.nextRequest() {
        seen.post("\(head)\n\(String(decoding: body, as: UTF8.self))")
        try stream.send("HTTP/1.1 409 Conflict\r\nRetry-After:  7 \r\nContent-Length: 4\r\n\r\nbusy")
      }
    }
    var request = rig.request("/a?b=c", "PATCH", body: Array("{}".utf8))
    request.headers = [.init("Content-Type", "application/merge-patch+json"), .init("X-Empty", "")]
    request.bearerToken = "t0ken"
    let response = try await rig.transport.send(request)
    #expect(response.head.status == 409)
    #expect(response.head["retry-after"] == "7")
    #expect(response.body == Array("busy".utf8))
    let lines = try #require(seen.all.first).split(whereSeparator: \.isNewline)
    #expect(lines.first == "PATCH /a?b=c HTTP/1.1")
    #expect(lines.contains("Authorization: Bearer t0ken"))
    #expect(lines.contains("Content-Type: application/merge-patch+json"))
    #expect(lines.contains("X-Empty:"))
    #expect(lines.contains("Content-Length: 2"))
    #expect(lines.last == "{}")
    #expect(!lines.contains { $0.hasPrefix("Expect") })
  }

  @Test func `an empty body and an answer to HEAD end`() async throws {
    let rig = try Rig { stream in
      while let (head, _) = try stream.nextRequest() {
        try stream.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\(head.hasPrefix("HEAD") ? "" : "hello")")
      }
    }
    #expect(try await rig.transport.send(rig.request("/", "HEAD")).body.isEmpty)
    #expect(try await rig.transport.send(rig.request("/", "POST", body: [])).body == Array("hello".utf8))
  }

  @Test func `a body in chunks is whole wherever it is split`() async throws {
    let answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n3;x=y\r\n1}\n\r\n0\r\nT: t\r\n\r\n"
    let bytes = Array(answer.utf8)
    let rig = try Rig { stream in
      while let (head, _) = try stream.nextRequest() {
        let split = Int(head.split(separator: " ")[1].dropFirst()) ?? 0
        try stream.send(Array(bytes[..<split]))
        stall(.milliseconds(2))
        try stream.send(Array(bytes[split...]))
      }
    }
    for split in 0..<bytes.count {
      #expect(try await rig.get("/\(split)").body == Array("{\"a\":1}\n".utf8))
      let stream = try await rig.transport.stream(rig.request("/\(split)"))
      #expect(try await rest(of: stream.body) == Array("{\"a\":1}\n".utf8))
    }
    #expect(rig.server.acceptedCount == 1)
  }

  @Test func `a redirect is an answer as others are`() async throws {
    let rig = try Rig { stream in
      while try stream.nextRequest() != nil {
        try stream.send("HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
      }
    }
    let response = try await rig.get()
    #expect(response.head.status == 307)
    #expect(response.head["Location"] == "http://127.0.0.1:1/")
  }

  @Test func `heads before the answer's are skipped`() async throws {
    let rig = try Rig { stream in
      while try stream.nextRequest() != nil {
        try stream.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        try stream.answer("ok", "A: b\r\n")
      }
    }
    let stream = try await rig.transport.stream(rig.request())
    #expect(stream.head.status == 200)
    #expect(stream.head["Link"] == nil)
    #expect(stream.head["A"] == "b")
    #expect(try await rest(of: stream.body) == Array("ok".utf8))
  }

  @Test func `two thousand requests need one connection, or leave none behind`() async throws {
    let rig = try Rig { stream in
      while let (head, _) = try stream.nextRequest() {
        let isLast = head.hasPrefix("GET /last")
        try stream.answer("ok", isLast ? "Connection: close\r\n" : "")
        if isLast { return }
      }
    }
    for _ in 0..<2000 { #expect(try await rig.get().body.count == 2) }
    #expect(rig.server.acceptedCount == 1)
    for _ in 0..<2000 { #expect(try await rig.get("/last").body.count == 2) }
    #expect(rig.server.acceptedCount == 2000)
    try await soon("closed connections") { rig.connections <= 1 }
  }

  @Test func `many at once each get their own answer, and few connections stay`() async throws {
    let rig = try Rig { stream in
      while let (head, _) = try stream.nextRequest() { try stream.answer(String(head.split(separator: " ")[1])) }
    }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        group.addTask { try await rig.get("/\(number)").body == Array("/\(number)".utf8) }
      }
      for try await isRight in group { #expect(isRight) }
    }
    try await soon("a small pool") { rig.connections <= TransportOptions().pooledConnections }
  }

  @Test func `a pooled connection that the server has closed is replaced`() async throws {
    let rig = try Rig { stream in
      _ = try stream.nextRequest()
      try stream.answer("ok")
    }
    for _ in 0..<20 {
      #expect(try await rig.get().body.count == 2)
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  @Test func `the last copy of a transport closes its connections`() async throws {
    let server: TestServer
    do {
      let rig = try Rig { stream in while try stream.nextRequest() != nil { try stream.answer("ok") } }
      _ = try await rig.get()
      #expect(rig.connections == 1)
      server = rig.server
    }
    try await soon("closed connections") { server.connections == 0 }
  }

  @Test func `a request that cannot be sent is refused without quoting it`() async throws {
    let rig = try Rig { _ in }
    var request = rig.request()
    request.bearerToken = "s3cret\r\nX: y"
    var error = await failure { () async throws(HTTPTransportError) in _ = try await rig.transport.send(request) }
    #expect(error == .invalidRequest("a control character in the bearer token"))
    request = rig.request()
    request.headers = [.init("X-Key", "s3cret\n")]
    error = await failure { () async throws(HTTPTransportError) in _ = try await rig.transport.stream(request) }
    #expect(error == .invalidRequest("a control character in the header X-Key"))
    request.headers = [.init("X Key:", "v")]
    error = await failure { () async throws(HTTPTransportError) in _ = try await rig.transport.stream(request) }
    #expect(error == .invalidRequest("a header's name that is no word"))
    for url in ["", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://a b/", "http://127.0.0.1:99999/"] {
      let error = await failure { () async throws(HTTPTransportError) in
        _ = try await rig.transport.send(HTTPRequest("GET", url))
      }
      #expect(error != nil)
    }
    #expect(rig.server.acceptedCount == 0)
  }

  @Test func `no description shows a token or a key`() {
    var request = HTTPRequest("GET", "http://a/", headers: [.init("X", "s3cret")], bearerToken: "s3cret")
    request.body = Array("s3cret".utf8)
    let tls = TLSOptions(privateKey: .bytes(Array("s3cret".utf8)))
    var text =
      "\(request) \(tls) \(TransportOptions(tls: tls)) \(String(reflecting: request)) \(String(reflecting: tls))"
    dump(request, to: &text)
    dump(TransportOptions(tls: tls), to: &text)
    #expect(!text.contains("s3cret"))
    #expect(!text.contains("115, 51"))
  }
}
