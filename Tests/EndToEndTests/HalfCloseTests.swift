import TestKit
import Testing

/// The half-close matrix: each side may close its writing side first, or break the connection,
/// and the other side sees just that.
@Suite struct HalfCloseTests {
  @Test(
    "a half-closed client still receives the rest of the reply, half a second later",
    .timeLimit(.minutes(1)), arguments: Route.allCases)
  func clientClosesFirst(route: Route) throws {
    let request = Mailbox<[UInt8]>()
    var reply = ByteStream(seed: 1)
    let open = try route.open(
      Handlers.replyAfterEnd(reply, count: 1_000_000, delay: .milliseconds(500), request: request))
    let client = try TCPStream(to: open.address)
    try client.send("8 bytes.")
    try client.shutdownWrite()
    let (bytes, end) = try client.receiveUntilEnd()
    #expect(end == .eof)
    #expect(bytes.count == 1_000_000)
    try reply.match(bytes)
    #expect(try request.next() == Array("8 bytes.".utf8))
    open.verify()
  }

  @Test(
    "a server that closes its side first still gets the client's late bytes",
    .timeLimit(.minutes(1)), arguments: Route.allCases)
  func serverClosesFirst(route: Route) throws {
    let seen = Mailbox<StreamEnd>()
    let open = try route.open(Handlers.bannerThenRead(Array("banner\n".utf8), seen: seen))
    let client = try TCPStream(to: open.address)
    let (banner, end) = try client.receiveUntilEnd()
    #expect(banner == Array("banner\n".utf8))
    #expect(end == .eof)
    var late = ByteStream(seed: 2)
    let expected = late.next(2000)
    stall(.milliseconds(500))
    try client.send(Array(expected[..<1000]))
    try client.send(Array(expected[1000...]))
    client.close()
    #expect(try seen.next() == StreamEnd(bytes: expected, end: .eof))
    open.verify()
  }

  @Test(
    "a reset by the server reaches the client as a reset, after the bytes before it",
    .timeLimit(.minutes(1)), arguments: Route.allCases)
  func serverResets(route: Route) throws {
    var stream = ByteStream(seed: 3)
    let bytes = stream.next(1000)
    let open = try route.open(Handlers.resetAfterData(bytes, delay: .milliseconds(200)))
    let client = try TCPStream(to: open.address)
    try client.send("x")
    let received = try client.receiveUntilEnd()
    #expect(received.bytes == bytes)
    #expect(received.end == .reset)
    open.verify()
  }

  @Test(
    "a reset by the client reaches the server as a reset, after the bytes before it",
    .timeLimit(.minutes(1)), arguments: Route.allCases)
  func clientResets(route: Route) throws {
    let seen = Mailbox<StreamEnd>()
    let open = try route.open(Handlers.collect(seen))
    let client = try TCPStream(to: open.address)
    try client.send("before the reset")
    stall(.milliseconds(200))
    client.reset()
    #expect(try seen.next() == StreamEnd(bytes: Array("before the reset".utf8), end: .reset))
    open.verify()
  }

  @Test(
    "a client that resets after its half-close is a reset for a server that still answers",
    .timeLimit(.minutes(1)), arguments: Route.allCases)
  func clientResetsAfterHalfClose(route: Route) throws {
    let broke = Mailbox<Bool>()
    let open = try route.open { stream in
      _ = try stream.receiveUntilEnd()
      let deadline = Deadline.after(.seconds(10))
      let piece = [UInt8](repeating: 7, count: 4096)
      do {
        while !deadline.hasPassed { _ = try stream.sendAsMuch(piece, until: deadline) }
        broke.post(false)
      } catch is Broken {
        broke.post(true)
      }
    }
    let client = try TCPStream(to: open.address)
    try client.send("request")
    try client.shutdownWrite()
    _ = try client.receive(exactly: 4096)
    client.reset()
    #expect(try broke.next(within: .seconds(15)))
    open.verify()
  }

  @Test(
    "a server that resets a half-closed client is seen as a reset",
    .timeLimit(.minutes(1)), arguments: Route.allCases)
  func serverResetsHalfClosedClient(route: Route) throws {
    let open = try route.open { stream in
      _ = try stream.receiveUntilEnd()
      stream.reset()
    }
    let client = try TCPStream(to: open.address)
    try client.send("request")
    try client.shutdownWrite()
    let received = try client.receiveUntilEnd()
    #expect(received.bytes.isEmpty)
    #expect(received.end == .reset)
    open.verify()
  }

  @Test(
    "a client that closes at once without a byte ends the server's side", .timeLimit(.minutes(1)),
    arguments: Route.allCases)
  func closesWithoutBytes(route: Route) throws {
    let seen = Mailbox<StreamEnd>()
    let open = try route.open(Handlers.collect(seen))
    try TCPStream(to: open.address).close()
    #expect(try seen.next() == StreamEnd(bytes: [], end: .eof))
    open.verify()
  }
}
