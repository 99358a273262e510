import Testing

@testable import roadstead_load

@Suite struct HTTPReplyTests {
  /// What a reply comes to when its parts come one after the other.
  private func read(_ parts: [String]) -> (TCPClient.Reply, endsWithConnection: Bool) {
    var reply = HTTPReply()
    var outcome = TCPClient.Reply.isPartial
    for part in parts {
      outcome = unsafe Array(part.utf8).withUnsafeBytes { unsafe reply.take($0) }
    }
    return (outcome, reply.endsWithConnection)
  }

  private static let whole = [
    "HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n",
    "HTTP/1.1 302 Found\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
    "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: y\r\n\r\n",
  ]

  @Test(arguments: whole) func `a reply is whole, wherever it is cut`(text: String) {
    #expect(read([text]).0 == .isWhole)
    for cut in 1..<text.utf8.count {
      let bytes = Array(text.utf8)
      let parts = [bytes[..<cut], bytes[cut...]].map { String(decoding: $0, as: UTF8.self) }
      #expect(read([parts[0]]).0 == .isPartial, "cut at \(cut)")
      #expect(read(parts).0 == .isWhole, "cut at \(cut)")
    }
    #expect(read(text.utf8.map { String(UnicodeScalar($0)) }).0 == .isWhole)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nconnection:x, Close\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, close\r\n\r\nok",
  ])
  func `the last reply of a connection says so`(text: String) {
    #expect(read([text]).0 == .isLast)
    #expect(read(text.utf8.map { String(UnicodeScalar($0)) }).0 == .isLast)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: closer, disclose\r\nX: close\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok",
  ])
  func `after others the connection stays`(text: String) { #expect(read([text]).0 == .isWhole) }

  @Test func `without a length the end of the connection is the end`() {
    let (outcome, endsWithConnection) = read(["HTTP/1.1 200 OK\r\n\r\nsome ", "text"])
    #expect(outcome == .isPartial)
    #expect(endsWithConnection)
    #expect(!read(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"]).endsWithConnection)
  }

  @Test(arguments: [
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "\r\n\r\n",
  ])
  func `a failure and what is no reply are wrong`(text: String) { #expect(read([text]).0 == .isWrong) }

  @Test func `a head without an end is wrong`() {
    #expect(read([String(repeating: "x", count: 20_000)]).0 == .isWrong)
  }
}
