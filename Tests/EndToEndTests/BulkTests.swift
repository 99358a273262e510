import TestKit
import Testing

/// Fifty mebibytes against a peer that does not read for a while.
@Suite struct BulkTests {
  static let length = 50 << 20
  /// More than all socket buffers on the way and a proxy's share; a sender that gets more rid of while nobody reads is
  /// not held back.
  static let bufferedAtMost = 32 << 20

  @Test(
    "50 MiB arrive at a server that stalls, and the client is held back meanwhile",
    .timeLimit(.minutes(2)), arguments: Route.allCases)
  func upload(route: Route) throws {
    let result = Mailbox<String>()
    let mayRead = Mailbox<Bool>()
    let open = try route.open(receiveBuffer: 64 << 10) { stream in
      _ = try mayRead.next(within: .seconds(30))
      result.post(try Self.drain(stream, seed: 4))
    }
    let client = try TCPStream(to: open.address)
    var bytes = ByteStream(seed: 4)
    try Self.feed(client, &bytes, whileStalled: { mayRead.post(true) })
    try client.shutdownWrite()
    #expect(try result.next(within: .seconds(60)) == "\(Self.length) bytes, eof")
    open.verify()
  }

  @Test(
    "50 MiB arrive at a client that stalls, and the server is held back meanwhile",
    .timeLimit(.minutes(2)), arguments: Route.allCases)
  func download(route: Route) throws {
    let stalled = Mailbox<Bool>()
    let open = try route.open { stream in
      var bytes = ByteStream(seed: 5)
      try Self.feed(stream, &bytes, whileStalled: { stalled.post(true) })
    }
    let client = try TCPStream(to: open.address, receiveBuffer: 64 << 10)
    _ = try stalled.next(within: .seconds(30))
    #expect(try Self.drain(client, seed: 5) == "\(Self.length) bytes, eof")
    open.verify()
  }

  @Test("50 MiB pass each way at once", .timeLimit(.minutes(2)), arguments: Route.allCases)
  func bothWays(route: Route) throws {
    let open = try route.open { stream in
      let sender = try Self.sender(stream, seed: 7)
      let seen = try Self.drain(stream, seed: 6)
      sender.thread.join()
      if seen != "\(Self.length) bytes, eof" || sender.errors.all != [] {
        throw TestFailure("\(seen) \(sender.errors.all)")
      }
    }
    let client = try TCPStream(to: open.address)
    let sender = try Self.sender(client, seed: 6)
    #expect(try Self.drain(client, seed: 7) == "\(Self.length) bytes, eof")
    sender.thread.join()
    #expect(sender.errors.all == [])
    open.verify()
  }

  /// Sends as much as goes while nobody reads, checks that this is not everything, then sends the rest.
  private static func feed(
    _ stream: TCPStream, _ bytes: inout ByteStream, whileStalled: () -> Void
  ) throws {
    let piece = 1 << 20
    var sent = 0
    var rest: [UInt8] = []
    while sent < length {
      rest = bytes.next(min(piece, length - sent))
      // Half a second without room for one more byte: everything on the way is full.
      let count = try stream.sendAsMuch(rest, until: .after(.milliseconds(500)))
      sent += count
      rest.removeFirst(count)
      if !rest.isEmpty { break }
    }
    guard sent < bufferedAtMost else { throw TestFailure("\(sent) bytes went though nobody reads") }
    whileStalled()
    try stream.send(rest, within: .seconds(30))
    sent += rest.count
    while sent < length {
      let count = min(piece, length - sent)
      try stream.send(bytes.next(count), within: .seconds(30))
      sent += count
    }
  }

  private static func sender(_ stream: TCPStream, seed: UInt64) throws -> (thread: TestThread, errors: Mailbox<String>)
  {
    let errors = Mailbox<String>()
    let thread = try TestThread {
      do {
        var bytes = ByteStream(seed: seed)
        for _ in 0..<50 { try stream.send(bytes.next(1 << 20), within: .seconds(30)) }
        try stream.shutdownWrite()
      } catch {
        errors.post("\(error)")
      }
    }
    return (thread, errors)
  }

  /// Receives and checks everything; says how much it was and how it ended.
  private static func drain(_ stream: TCPStream, seed: UInt64) throws -> String {
    var bytes = ByteStream(seed: seed)
    while true {
      switch try stream.receive(upTo: 1 << 18, within: .seconds(30)) {
      case .bytes(let piece): try bytes.match(piece)
      case .end(let end): return "\(bytes.position) bytes, \(end)"
      }
    }
  }
}
