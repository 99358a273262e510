import Addresses
import Glibc
import Synchronization

/// 127.X.Y.0/24 for one test alone, so that tests run side by side with fixed ports.
///
/// The claim is a listener on .254:9009, which other test processes on the machine see too.
public final class LoopbackBlock: Sendable {
  private let claim: TCPListener
  private let base: UInt32

  /// How many there are: 127.64.0.0 to 127.99.255.0, below the demo's 127.101, above what people type by hand.
  private static let count: UInt32 = 36 * 256
  /// The next one of this process, which so has none twice: what a test left open meets no other test.
  private static let next = Atomic(UInt32.random(in: 0..<count))

  public init() throws {
    for _ in 0..<1000 {
      let number = Self.next.wrappingAdd(1, ordering: .relaxed).oldValue % Self.count
      let base: UInt32 = 127 << 24 | 64 << 16 + number << 8
      let address = SocketAddress(IPAddress(v4: base + 254), port: 9009)
      if let claim = try? TCPListener(on: address) {
        self.claim = claim
        self.base = base
        return
      }
    }
    throw TestFailure("no free block of loopback addresses")
  }

  /// The address whose last number is `host`, 1 to 253.
  public func address(_ host: Int) -> IPAddress {
    precondition((1...253).contains(host))
    return IPAddress(v4: base + UInt32(host))
  }

  public func address(_ host: Int, port: Int) -> SocketAddress {
    SocketAddress(address(host), port: UInt16(port))
  }

  /// A port on host `host` that nothing listens on: connections to it are refused.
  public func closedPort(_ host: Int) throws -> SocketAddress {
    let listener = try TCPListener(on: address(host, port: 0))
    return listener.address
  }
}
