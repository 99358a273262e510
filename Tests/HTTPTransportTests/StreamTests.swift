import Glibc
import HTTPTransport
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct StreamTests {
  private static let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

  @Test func `a reader that stops stops the server, and still gets every byte`() async throws {
    let seed = testSeed()
    let total = 64 << 20
    let sent = Counter()
    let rig = try Rig({ $0.idleTimeout = 1.5 }) { stream in
      _ = try stream.nextRequest()
      try stream.send(Self.head)
      var bytes = ByteStream(seed: seed)
      while sent.value.load(ordering: .relaxed) < total {
        try stream.send(bytes.next(1 << 16), within: .seconds(60))
        sent.value.add(1 << 16, ordering: .relaxed)
      }
    }
    let stream = try await rig.transport.stream(rig.request())
    var expected = ByteStream(seed: seed)
    try expected.match(try #require(try await stream.body.next()))
    // Until the server has been stuck for longer than a stream may be idle: that silence is ours.
    var before = -1
    while before != sent.value.load(ordering: .relaxed) {
      before = sent.value.load(ordering: .relaxed)
      try await Task.sleep(for: .milliseconds(1700))
    }
    // What the two socket buffers hold (tcp_rmem, tcp_wmem), and little of our own.
    #expect(before < total / 2)
    while let bytes = try await stream.body.next() {
      #expect(bytes.count <= 64 << 10 + 16 << 10)
      try expected.match(bytes)
    }
    #expect(expected.position == total)
    #expect(rig.server.failures == [])
  }

  /// A counter that a server's thread may hold.
  private final class Counter: Sendable { let value = Atomic(0) }

  @Test func `cancelling a waiting request ends its connection`() async throws {
    let ended = Mailbox<TCPStream.End>()
    let started = Mailbox<Void>()
    let rig = try Rig { stream in
      _ = try stream.nextRequest()
      started.post(())
      ended.post(try stream.receiveUntilEnd().end)
    }
    for isStream in [false, true] {
      let task = Task { () -> HTTPTransportError? in
        await failure { () async throws(HTTPTransportError) in
          if isStream {
            _ = try await rig.transport.stream(rig.request())
          } else {
            _ = try await rig.get()
          }
        }
      }
      try await soon("the request") { !started.all.isEmpty }
      try started.next()
      task.cancel()
      #expect(await task.value == .cancelled)
      try await soon("the end of the connection") { !ended.all.isEmpty }
      _ = try ended.next()
    }
    #expect(rig.connections == 0)
  }

  @Test func `a task cancelled before it asks gets no answer`() async throws {
    let rig = try Rig { stream in while try stream.nextRequest() != nil { try stream.answer("ok") } }
    let task = Task { () -> HTTPTransportError? in
      while !Task.isCancelled { await Task.yield() }
      return await failure { () async throws(HTTPTransportError) in _ = try await rig.get() }
    }
    task.cancel()
    #expect(await task.value == .cancelled)
  }

  @Test func `cancelling a reader ends the stream`() async throws {
    let ended = Mailbox<TCPStream.End>()
    let rig = try Rig { stream in
      _ = try stream.nextRequest()
      try stream.send(Self.head + "x")
      ended.post(try stream.receiveUntilEnd().end)
    }
    let stream = try await rig.transport.stream(rig.request())
    #expect(try await stream.body.next() == Array("x".utf8))
    let task = Task { () -> HTTPTransportError? in
      await failure { () async throws(HTTPTransportError) in _ = try await stream.body.next() }
    }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    #expect(await task.value == .cancelled)
    try await soon("the end of the connection") { !ended.all.isEmpty }
    // And it stays ended.
    #expect(await failure { () async throws(HTTPTransportError) in _ = try await stream.body.next() } == .cancelled)
  }

  @Test func `a body that is let go closes its connection, also while libcurl is paused`() async throws {
    let ended = Mailbox<Void>()
    let rig = try Rig { stream in
      guard let (head, _) = try stream.nextRequest() else { return }
      try stream.send(Self.head)
      if head.hasPrefix("GET /full") {
        while (try? stream.send([UInt8](repeating: 0, count: 1 << 16))) != nil {}
      } else {
        _ = try stream.receiveUntilEnd()
      }
      ended.post(())
    }
    for path in ["/", "/full"] {
      do {
        let stream = try await rig.transport.stream(rig.request(path))
        try await Task.sleep(for: .milliseconds(100))
        #expect(stream.head.status == 200)
      }
      try await soon("the end of the connection") { !ended.all.isEmpty }
      try ended.next()
    }
    try await soon("closed connections") { rig.connections == 0 }
  }

  @Test func `streams and requests go on beside each other`() async throws {
    let rig = try Rig { stream in
      while let (head, _) = try stream.nextRequest() {
        guard head.hasPrefix("GET /watch") else {
          try stream.answer("ok")
          continue
        }
        try stream.send(Self.head)
        for line in 0..<100 {
          try stream.send("\(line)\n")
          stall(.milliseconds(2))
        }
        return
      }
    }
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 {
        group.addTask {
          let stream = try await rig.transport.stream(rig.request("/watch"))
          return try await rest(of: stream.body).count { $0 == 10 }
        }
        group.addTask { () async throws -> Int in
          for _ in 0..<20 { #expect(try await rig.get().body.count == 2) }
          return 100
        }
      }
      for try await lines in group { #expect(lines == 100) }
    }
  }
}
