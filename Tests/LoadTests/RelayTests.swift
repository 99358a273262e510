import Addresses
import TestKit
import Testing

@testable import roadstead_load

/// What relays do to streams of bytes, and the load is to see.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RelayTests {
  private static let any = SocketAddress(IPAddress(v4: 127 << 24 | 1), port: 0)
  private static let pattern = [UInt8](repeating: 7, count: 1 << 16)

  private func target(_ server: TestServer) -> Target { Target(scheme: .tcp, address: server.address) }

  /// Which ways of a stream stop after its beginning.
  enum Stop: Sendable {
    case request
    case reply
    case all
  }

  /// A server of endless streams, the first of which stops.
  private func stopping(_ stop: Stop, _ direction: Bulk.Direction) throws -> TestServer {
    let first = Mailbox<Bool>()
    first.post(true)
    return try TestServer(on: Self.any, receiveBuffer: 1 << 16) { stream in
      let isFirst = (try? first.next(within: .zero)) != nil
      let (takes, gives) = (!isFirst || stop == .reply, !isFirst || stop == .request)
      let header = try stream.receive(exactly: Header.size)
      if direction != .up { try stream.send(header) }
      let isOver = Mailbox<Bool>()
      let giver = try TestThread {
        while gives, direction != .up, isOver.all.isEmpty, (try? stream.send(Self.pattern)) != nil {}
      }
      if !takes { stall(.seconds(3)) }
      var count = UInt64(Header.size)
      while takes, case .bytes(let bytes) = try stream.receive(upTo: 1 << 18) { count += UInt64(bytes.count) }
      isOver.post(true)
      giver.join()
      if direction != .down { try stream.send((0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }) }
    }
  }

  @Test(arguments: [(Bulk.Direction.down, Stop.reply), (.up, .request), (.both, .all), (.both, .reply)])
  func `one of several streams that stops is an error`(direction: Bulk.Direction, stop: Stop) throws {
    let server = try stopping(stop, direction)
    let run = try Loads.move(direction, target(server), concurrency: 3, seconds: 0.5, warmUp: 0.4, patience: 3)
    #expect(run.units > 1_000_000)
    #expect(run.errorsByKind == [.timeout: 1])
  }

  @Test(arguments: [Bulk.Direction.down, .both])
  func `a count that is soon reached needs no byte of each stream`(direction: Bulk.Direction) throws {
    let server = try LoadServer()
    let run = try Loads.move(direction, server.tcp, concurrency: 8, count: 1000)
    #expect(run.units == 1000)
    #expect(run.errorsByKind == [:])
  }

  @Test func `an upload that a relay drops is an error of both ways at once`() throws {
    let server = try LoadServer()
    let address = server.tcp.address
    let relay = try TestServer(on: Self.any) { client in
      let backend = try TCPStream(to: address)
      // The header and the end pass; what is between them is lost.
      try TestThread {
        guard let header = try? client.receive(exactly: Header.size), (try? backend.send(header)) != nil else { return }
        while case .bytes? = try? client.receive(upTo: 1 << 18) {}
        try? backend.shutdownWrite()
      }.detach()
      while case .bytes(let bytes) = try backend.receive(upTo: 1 << 18) { try client.send(bytes) }
    }
    let run = try Loads.move(.both, target(relay), concurrency: 2)
    #expect(run.units > 1_000_000)
    #expect(run.errorsByKind == [.wrongReply: 2])
  }

  @Test func `an endless reply ends with the count of the upload, however slowly it is read`() throws {
    let server = try LoadServer()
    let stream = try TCPStream(to: server.tcp.address)
    let header = Buffer(size: Header.size)
    header.write(Header(requestLength: Header.endless, replyLength: Header.endless, sequence: 5))
    let beginning = header.copy(Header.size)
    try stream.send(beginning)
    try stream.send(Self.pattern)
    // By now the reply has filled all buffers: the count has to wait.
    stall(.milliseconds(200))
    try stream.shutdownWrite()
    stall(.milliseconds(100))
    let (bytes, end) = try stream.receiveUntilEnd()
    #expect(end == .eof)
    #expect(Array(bytes.prefix(Header.size)) == beginning)
    let count = bytes.suffix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    #expect(count == UInt64(Header.size + Self.pattern.count))
  }
}
