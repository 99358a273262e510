import Glibc

/// What test servers do with a connection.
public enum Handlers {
  /// Sends back every byte until the client's EOF, then closes.
  public static let echo: TestServer.Handler = { stream in
    while case .bytes(let bytes) = try stream.receive(within: .seconds(60)) {
      try stream.send(bytes, within: .seconds(60))
    }
  }

  /// Answers an HTTP request with `name` and a newline, then closes.
  public static func name(_ name: String) -> TestServer.Handler {
    { stream in
      _ = try stream.receive()
      try stream.send(
        "HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count + 1)\r\nConnection: close\r\n\r\n\(name)\n")
    }
  }

  /// Waits for the client's EOF, then `delay`, then sends the first `count` bytes of a stream and closes.
  public static func replyAfterEnd(
    _ stream: ByteStream, count: Int, delay: Duration, request: Mailbox<[UInt8]>
  ) -> TestServer.Handler {
    { connection in
      let (bytes, end) = try connection.receiveUntilEnd()
      guard end == .eof else { throw TestFailure("the request ended by \(end)") }
      request.post(bytes)
      stall(delay)
      var stream = stream
      try connection.send(stream.next(count))
    }
  }

  /// Sends `banner`, closes its writing side, then keeps reading; posts what came and how it ended.
  public static func bannerThenRead(
    _ banner: [UInt8], seen: Mailbox<StreamEnd>
  ) -> TestServer.Handler {
    { connection in
      try connection.send(banner)
      try connection.shutdownWrite()
      let (bytes, end) = try connection.receiveUntilEnd()
      seen.post(StreamEnd(bytes: bytes, end: end))
    }
  }

  /// Waits for one byte, sends `bytes`, and after `delay` breaks the connection.
  ///
  /// The delay lets the bytes be delivered: a reset drops what is still queued (RFC 9293, 3.5.2).
  public static func resetAfterData(_ bytes: [UInt8], delay: Duration) -> TestServer.Handler {
    { connection in
      _ = try connection.receive(exactly: 1)
      try connection.send(bytes)
      stall(delay)
      connection.reset()
    }
  }

  /// Reads until the end and posts what came and how it ended.
  public static func collect(_ seen: Mailbox<StreamEnd>) -> TestServer.Handler {
    { connection in
      let (bytes, end) = try connection.receiveUntilEnd()
      seen.post(StreamEnd(bytes: bytes, end: end))
    }
  }

  /// Accepts, reads and never answers.
  public static let silent: TestServer.Handler = { stream in
    while case .bytes = try stream.receive(within: .seconds(60)) {}
  }
}

/// All the bytes of a stream and how it ended.
public struct StreamEnd: Sendable, Hashable {
  public let bytes: [UInt8]
  public let end: TCPStream.End

  public init(bytes: [UInt8], end: TCPStream.End) {
    self.bytes = bytes
    self.end = end
  }
}
