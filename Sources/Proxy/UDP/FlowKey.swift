import Addresses

/// What tells one flow from another: a client's address and port, and the listener; and which of the host's addresses
/// was asked, on a wildcard listener. Packed, for it is looked up with every datagram.
struct FlowKey: Equatable {
  private let clientHigh: UInt64
  private let clientLow: UInt64
  private let localHigh: UInt64
  private let localLow: UInt64
  /// From the lowest bit: the client's family in 2, the local address's in 2 (``Family``), the port in 16, the listener.
  private let rest: UInt64

  private enum Family {
    static let none: UInt64 = 0
    static let v4: UInt64 = 1
    static let v6: UInt64 = 2
  }

  init(client: SocketAddress, local: IPAddress?, listener: Int) {
    clientHigh = UInt64(truncatingIfNeeded: client.address.bits &>> 64)
    clientLow = UInt64(truncatingIfNeeded: client.address.bits)
    var families = Self.family(client.address)
    if let local {
      localHigh = UInt64(truncatingIfNeeded: local.bits &>> 64)
      localLow = UInt64(truncatingIfNeeded: local.bits)
      families |= Self.family(local) << 2
    } else {
      localHigh = 0
      localLow = 0
    }
    rest = families | UInt64(client.port) << 4 | UInt64(truncatingIfNeeded: listener) << 20
  }

  private static func family(_ address: IPAddress) -> UInt64 {
    switch address.family {
    case .v4: Family.v4
    case .v6: Family.v6
    }
  }

  var listener: Int { Int(rest >> 20) }

  var clientAddress: IPAddress {
    rest & 3 == Family.v4
      ? IPAddress(v4: UInt32(truncatingIfNeeded: clientLow))
      : IPAddress(v6: UInt128(clientHigh) << 64 | UInt128(clientLow))
  }

  static func == (a: FlowKey, b: FlowKey) -> Bool {
    (a.rest ^ b.rest) | (a.clientLow ^ b.clientLow) | (a.clientHigh ^ b.clientHigh) | (a.localLow ^ b.localLow)
      | (a.localHigh ^ b.localHigh) == 0
  }

  /// A hash that nobody can foresee without the seed: clients choose their addresses and ports.
  ///
  /// SipHash-1-3, as Swift's own `Hasher`, of the words that the families leave: most have two.
  func hash(_ seed: Seed) -> UInt32 {
    var state = SipHash(seed)
    state.add(rest)
    state.add(clientLow)
    if rest & 3 == Family.v6 { state.add(clientHigh) }
    if rest & 12 != 0 {
      state.add(localLow)
      state.add(localHigh)
    }
    return UInt32(truncatingIfNeeded: state.finish())
  }

  /// Secret of the process, as that of Swift's `Hasher`, and the same each time where that one is.
  struct Seed {
    let first: UInt64
    let second: UInt64

    init() {
      first = UInt64(bitPattern: Int64("first".hashValue))
      second = UInt64(bitPattern: Int64("second".hashValue))
    }
  }
}

/// SipHash-1-3 of 64-bit words (Aumasson, Bernstein: SipHash, a fast short-input PRF).
private struct SipHash {
  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64
  private var words: UInt64 = 0

  init(_ seed: FlowKey.Seed) {
    v0 = seed.first ^ 0x736F_6D65_7073_6575
    v1 = seed.second ^ 0x646F_7261_6E64_6F6D
    v2 = seed.first ^ 0x6C79_6765_6E65_7261
    v3 = seed.second ^ 0x7465_6462_7974_6573
  }

  mutating func add(_ word: UInt64) {
    v3 ^= word
    round()
    v0 ^= word
    words &+= 1
  }

  mutating func finish() -> UInt64 {
    // The last block: the length in bytes in its highest byte.
    add(words &<< 59)
    v2 ^= 0xFF
    round()
    round()
    round()
    return v0 ^ v1 ^ v2 ^ v3
  }

  private mutating func round() {
    v0 = v0 &+ v1
    v1 = Self.rotated(v1, 13) ^ v0
    v0 = Self.rotated(v0, 32)
    v2 = v2 &+ v3
    v3 = Self.rotated(v3, 16) ^ v2
    v0 = v0 &+ v3
    v3 = Self.rotated(v3, 21) ^ v0
    v2 = v2 &+ v1
    v1 = Self.rotated(v1, 17) ^ v2
    v2 = Self.rotated(v2, 32)
  }

  private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 { value &<< bits | value &>> (64 &- bits) }
}
