import Glibc
import HTTPTransport
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct TransportFailureTests {
  private func code(_ error: HTTPTransportError?) -> UInt32? {
    guard case .transfer(let code, let reason)? = error else { return nil }
    #expect(!reason.isEmpty && !reason.contains("\n"))
    return code
  }

  @Test func `a refused connection`() async throws {
    let rig = try Rig { _ in }
    rig.server.stop()
    // CURLE_COULDNT_CONNECT.
    #expect(code(await failure { () async throws(HTTPTransportError) in _ = try await rig.get() }) == 7)
    let error = await failure { () async throws(HTTPTransportError) in
      _ = try await rig.transport.stream(rig.request())
    }
    #expect(code(error) == 7)
    #expect("\(try #require(error))".contains("\(rig.server.address.port)"))
  }

  @Test func `a server that does not answer`() async throws {
    let hole = try BlackHole(on: .anyLoopback)
    let rig = try Rig({ $0.connectTimeout = 0.2 }, { _ in })
    let error = await failure { () async throws(HTTPTransportError) in
      _ = try await rig.transport.send(HTTPRequest("GET", "http://\(hole.address)/"))
    }
    // CURLE_OPERATION_TIMEDOUT.
    #expect(code(error) == 28)
  }

  @Test func `an answer that takes too long`() async throws {
    let rig = try Rig(
      { $0.unaryTimeout = 0.3 },
      { stream in
        _ = try stream.nextRequest()
        try stream.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while true {
          try stream.send("x")
          stall(.milliseconds(20))
        }
      })
    #expect(code(await failure { () async throws(HTTPTransportError) in _ = try await rig.get() }) == 28)
  }

  @Test func `a stream without a head, or without bytes after it, is idle`() async throws {
    let rig = try Rig(
      { $0.idleTimeout = 1 },
      { stream in
        guard let (head, _) = try stream.nextRequest() else { return }
        if head.hasPrefix("GET /head") {
          try stream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
          for _ in 0..<6 {
            try stream.send("1\r\nx\r\n")
            stall(.milliseconds(250))
          }
        }
        _ = try stream.receiveUntilEnd()
      })
    let error = await failure { () async throws(HTTPTransportError) in
      _ = try await rig.transport.stream(rig.request())
    }
    #expect(error == .idle(seconds: 1))
    let stream = try await rig.transport.stream(rig.request("/head"))
    var count = 0
    let end = await failure { () async throws(HTTPTransportError) in
      while let bytes = try await stream.body.next() { count += bytes.count }
    }
    // Over 1.25 s, each in time.
    #expect(count == 6)
    #expect(end == .idle(seconds: 1))
    try await soon("closed connections") { rig.connections == 0 }
  }

  @Test(
    "a body cut short is an error, after what came of it",
    arguments: ["Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"])
  func cutShort(_ answer: String) async throws {
    let rig = try Rig { stream in
      _ = try stream.nextRequest()
      try stream.send("HTTP/1.1 200 OK\r\n\(answer)")
      stall(.milliseconds(50))
    }
    // CURLE_PARTIAL_FILE.
    #expect(code(await failure { () async throws(HTTPTransportError) in _ = try await rig.get() }) == 18)
    let stream = try await rig.transport.stream(rig.request())
    var bytes: [UInt8] = []
    let error = await failure { () async throws(HTTPTransportError) in
      while let chunk = try await stream.body.next() { bytes += chunk }
    }
    #expect(code(error) == 18)
    #expect(bytes == Array("abc".utf8))
  }

  @Test(
    "what is no HTTP is an error",
    arguments: [
      "", "hello\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "\u{0}\u{1}\u{2}",
      "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "SSH-2.0-OpenSSH_9.2p1\r\n",
    ])
  func isNoHTTP(_ answer: String) async throws {
    let rig = try Rig({ $0.unaryTimeout = 5 }) { stream in
      _ = try stream.nextRequest()
      try stream.send(answer)
    }
    #expect(code(await failure { () async throws(HTTPTransportError) in _ = try await rig.get() }) != nil)
  }

  @Test func `a huge head ends the request`() async throws {
    let rig = try Rig { stream in
      guard let (head, _) = try stream.nextRequest() else { return }
      let count = head.hasPrefix("GET /fits") ? 100 : 100_000
      try? stream.send("HTTP/1.1 200 OK\r\n" + String(repeating: "X-Some: thing\r\n", count: count) + "\r\n")
    }
    #expect(try await rig.get("/fits").head.headers.count == 100)
    let error = await failure { () async throws(HTTPTransportError) in _ = try await rig.get() }
    #expect(error == .transfer(code: 23, reason: "the answer's head is over 65536 bytes"))
  }

  @Test func `a line of a head that never ends, ends the request`() async throws {
    let rig = try Rig({ $0.unaryTimeout = 10 }) { stream in
      _ = try stream.nextRequest()
      try? stream.send("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 8 << 20))
    }
    #expect(code(await failure { () async throws(HTTPTransportError) in _ = try await rig.get() }) != 28)
  }

  @Test func `a body over the limit ends the request; one of the limit does not`() async throws {
    let rig = try Rig({ $0.bodyLimit = 100_000 }) { stream in
      while let (head, _) = try stream.nextRequest() {
        let count = Int(head.split(separator: " ")[1].dropFirst()) ?? 0
        try? stream.answer(String(repeating: "x", count: count))
      }
    }
    #expect(try await rig.get("/100000").body.count == 100_000)
    let error = await failure { () async throws(HTTPTransportError) in _ = try await rig.get("/100001") }
    #expect(error == .bodyTooLarge(limit: 100_000))
  }
}
