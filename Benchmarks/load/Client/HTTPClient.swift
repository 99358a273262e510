/// A client of a web server.
final class HTTPClient: TCPClient {
  private var reply = HTTPReply()

  override func writeRequest() { reply = HTTPReply() }

  override func take(_ count: Int) -> Reply { unsafe input.withBytes(count) { unsafe reply.take($0) } }

  override func isWholeAtEnd() -> Bool { reply.endsWithConnection }
}
