import Addresses
import Glibc
import TestKit
import Testing

/// `ROADSTEAD_SEED=` replays, `ROADSTEAD_STEPS=` says how many texts are tried.
@Suite struct AddressPropertyTests {
  private static func number(_ name: String) -> UInt64? {
    guard let text = unsafe getenv(name) else { return nil }
    return UInt64(unsafe String(cString: text))
  }

  /// A generator and a number of rounds.
  private static func start(_ what: String) -> (SeededRandom, Int) {
    let seed = number("ROADSTEAD_SEED") ?? UInt64.random(in: 0...UInt64.max)
    let steps = Int(number("ROADSTEAD_STEPS") ?? 5000)
    print("\(what): ROADSTEAD_SEED=\(seed) ROADSTEAD_STEPS=\(steps)")
    return (SeededRandom(seed: seed), steps)
  }

  private func address(_ random: inout SeededRandom) -> IPAddress {
    if Bool.random(using: &random) { return IPAddress(v4: UInt32.random(in: 0 ... .max, using: &random)) }
    // Runs of zeros, which the text form shortens.
    var bits: UInt128 = 0
    for _ in 0..<8 {
      bits =
        bits << 16
        | UInt128([0, 0, 1, UInt16.random(in: 0 ... .max, using: &random)].randomElement(using: &random) ?? 0)
    }
    return IPAddress(v6: bits)
  }

  /// Parses `text` as everything; what comes out must come out again from its own text.
  private func check(_ text: String) {
    if let address = IPAddress(text) { #expect(IPAddress(address.description) == address, "\(text.debugDescription)") }
    if let prefix = IPPrefix(text) {
      #expect(IPPrefix(prefix.description) == prefix, "\(text.debugDescription)")
      #expect(prefix.contains(prefix.network) && prefix.contains(prefix.last), "\(text.debugDescription)")
    }
    _ = IPPrefix.hasHostBits(text)
    do throws(IPRange.ParseError) {
      let range = try IPRange(parsing: text)
      #expect(range.first <= range.last && range.count > 0, "\(text.debugDescription)")
      #expect(try IPRange(parsing: range.description) == range, "\(text.debugDescription)")
    } catch {
      #expect(!error.description.isEmpty)
    }
    if let socket = SocketAddress(text) {
      #expect(SocketAddress(socket.description) == socket, "\(text.debugDescription)")
    }
  }

  @Test func `random bytes are refused or read, and never trap`() {
    var (random, steps) = Self.start("address parsers, random bytes")
    let likely = Array("0123456789abcdef.:/-[] %\t\0".utf8)
    for step in 0..<steps {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        step % 2 == 0 ? UInt8.random(in: 0 ... .max, using: &random) : likely.randomElement(using: &random) ?? 0
      }
      check(String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test func `mutated texts are refused or read, and never trap`() {
    var (random, steps) = Self.start("address parsers, mutated texts")
    for _ in 0..<steps {
      let (a, b) = (address(&random), address(&random))
      let texts = [
        a.description, "\(a)-\(b)", "\(a) - \(b)", "\(a)/\(Int.random(in: 0...130, using: &random))", "\(a):80",
        "[\(a)]:80",
      ]
      var bytes = Array((texts.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0 ... .max, using: &random)
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(bytes.randomElement(using: &random) ?? 0, at: at)
        default: bytes.removeSubrange(at...)
        }
      }
      check(String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test func `what is written is read back the same`() throws {
    var (random, steps) = Self.start("addresses, round trips")
    for _ in 0..<steps {
      let a = address(&random)
      #expect(IPAddress(a.description) == a)
      let prefix = try #require(IPPrefix(a, length: Int.random(in: 0...a.family.bitCount, using: &random)))
      #expect(IPPrefix(prefix.description) == prefix)
      #expect(prefix.contains(a))
      #expect(try IPRange(parsing: prefix.description) == prefix.range)
      #expect(IPPrefix.hasHostBits("\(a)/\(prefix.length)") == (prefix.network != a))
      let b = address(&random)
      if let range = IPRange(first: min(a, b), last: max(a, b)) {
        #expect(try IPRange(parsing: "\(range)") == range)
        #expect(range.contains(a) && range.contains(b))
        #expect(range.overlaps(prefix.range) == prefix.range.overlaps(range))
      } else {
        #expect(a.family != b.family)
      }
      let socket = SocketAddress(a, port: UInt16.random(in: 0 ... .max, using: &random))
      #expect(SocketAddress(socket.description) == socket)
      #expect(throughC(socket) == socket)
    }
  }

  /// The address as the kernel would hand it back.
  private func throughC(_ socket: SocketAddress) -> SocketAddress? {
    var storage = sockaddr_storage()
    unsafe socket.withSockaddr { pointer, length in
      // Both are valid within the call, and sockaddr_storage is as large as any socket address.
      _ = unsafe memcpy(&storage, pointer, Int(length))
    }
    return SocketAddress(storage)
  }

  @Test func `a socket address of another family is none`() {
    var storage = sockaddr_storage()
    storage.ss_family = sa_family_t(AF_UNIX)
    #expect(SocketAddress(storage) == nil)
  }
}
