import Addresses
import TestKit

/// A conversation that both sides derive from one number, which the client sends first.
///
/// Each side sends its bytes in pieces of random size on a thread of its own while it receives and checks the other's.
enum RandomTraffic {
  /// How a client leaves.
  private enum Ending: UInt64 {
    /// Reads everything, then closes its side, then sees the server's end.
    case readsThenCloses
    /// Closes its side after its bytes, then reads everything.
    case closesItsSideFirst
    /// Breaks the connection half-way.
    case resets
    /// Closes with bytes unread.
    case leavesEarly
  }

  private struct Plan {
    let seed: UInt64
    let upload: Int
    let download: Int
    let ending: Ending

    init(seed: UInt64) {
      var random = SeededRandom(seed: seed)
      self.seed = seed
      upload = Self.length(&random)
      download = Self.length(&random)
      ending = Ending(rawValue: random.next() % 4) ?? .resets
    }

    private static func length(_ random: inout SeededRandom) -> Int {
      switch random.next() % 4 {
      case 0: 0
      case 1: .random(in: 1...100, using: &random)
      case 2: .random(in: 1...100_000, using: &random)
      default: .random(in: 1...1_500_000, using: &random)
      }
    }
  }

  static func client(to address: SocketAddress, _ random: inout SeededRandom) throws {
    let plan = Plan(seed: random.next())
    let stream = try TCPStream(to: address)
    try stream.send((0..<8).map { UInt8(truncatingIfNeeded: plan.seed >> ($0 * 8)) })
    let uploads = plan.ending == .resets ? plan.upload / 2 : plan.upload
    let downloads = plan.ending == .resets || plan.ending == .leavesEarly ? plan.download / 2 : plan.download
    let writer = try Writer(stream, seed: plan.seed, count: uploads, thenCloses: plan.ending == .closesItsSideFirst)
    var expected = ByteStream(seed: ~plan.seed)
    let read = Result { try receive(stream, &expected, downloads) }
    // The socket may be closed only when nobody uses it.
    let written = writer.finish()
    try read.get()
    if let written { throw written }
    switch plan.ending {
    case .readsThenCloses:
      try stream.shutdownWrite()
      try expectEnd(stream)
    case .closesItsSideFirst: try expectEnd(stream)
    case .resets: stream.reset()
    case .leavesEarly: stream.close()
    }
  }

  static let serve: TestServer.Handler = { stream in
    let head = try stream.receive(exactly: 8)
    let plan = Plan(seed: head.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    let writer = try Writer(stream, seed: ~plan.seed, count: plan.download, thenCloses: false)
    var expected = ByteStream(seed: plan.seed)
    let read = Result { try receiveAll(stream, &expected) }
    let written = writer.finish()
    let end = try read.get()
    let context = "\(plan.ending), up \(plan.upload), down \(plan.download), got \(expected.position)"
    switch plan.ending {
    case .readsThenCloses, .closesItsSideFirst:
      if let written { throw written }
      guard end == .eof, expected.position == plan.upload else { throw TestFailure("\(end) at \(context)") }
    case .resets:
      // One of the two directions takes the error from the socket; the other then sees a plain end.
      let isReset = end == .reset || written.map { $0 is Broken } ?? false
      guard isReset, expected.position <= plan.upload / 2 else { throw TestFailure("\(end) at \(context)") }
    case .leavesEarly:
      // Whether the unread bytes were on the way or queued decides between a reset and an end.
      guard expected.position <= plan.upload else { throw TestFailure("\(end) at \(context)") }
    }
  }

  private static func receive(_ stream: TCPStream, _ expected: inout ByteStream, _ count: Int) throws {
    while expected.position < count {
      switch try stream.receive(upTo: count - expected.position, within: .seconds(30)) {
      case .bytes(let bytes): try expected.match(bytes)
      case .end(let end): throw TestFailure("\(end) after \(expected.position) of \(count) bytes")
      }
    }
  }

  private static func receiveAll(_ stream: TCPStream, _ expected: inout ByteStream) throws -> TCPStream.End {
    while true {
      switch try stream.receive(within: .seconds(30)) {
      case .bytes(let bytes): try expected.match(bytes)
      case .end(let end): return end
      }
    }
  }

  private static func expectEnd(_ stream: TCPStream) throws {
    let rest = try stream.receiveUntilEnd()
    guard rest.bytes.isEmpty, rest.end == .eof else {
      throw TestFailure("\(rest.bytes.count) bytes too many, then \(rest.end)")
    }
  }

  /// A thread that sends `count` bytes of a stream in pieces of random size.
  private struct Writer {
    private let thread: TestThread
    private let outcome = Mailbox<(any Error)?>()

    init(_ stream: TCPStream, seed: UInt64, count: Int, thenCloses: Bool) throws {
      let outcome = outcome
      thread = try TestThread {
        do {
          var bytes = ByteStream(seed: seed)
          var random = SeededRandom(seed: seed &+ 1)
          while bytes.position < count {
            let scale = Int.random(in: 3...17, using: &random)
            let most = Int.random(in: 1...(1 << scale), using: &random)
            try stream.send(bytes.next(min(most, count - bytes.position)), within: .seconds(30))
          }
          if thenCloses { try stream.shutdownWrite() }
          outcome.post(nil)
        } catch {
          outcome.post(error)
        }
      }
    }

    /// Waits for the thread; what stopped it, if anything.
    func finish() -> (any Error)? {
      thread.join()
      return outcome.all.first ?? nil
    }
  }
}
