import Addresses
import CLibEv
import Glibc
import Synchronization

/// A listening TCP socket. Any thread may accept; one closes.
public final class TCPListener: Sendable {
  public let descriptor: CInt
  /// Where it listens, with the port the kernel chose when 0 was asked for.
  public let address: SocketAddress
  private let isOpen = Atomic(true)

  /// Listens. Without `reusePort` a second listener on the address is refused, as for any server. `segment` as for a
  /// ``TCPStream``.
  public init(
    on address: SocketAddress, backlog: Int = 4096, reusePort: Bool = false, receiveBuffer: Int? = nil,
    segment: Int? = nil
  ) throws {
    let family = address.address.family == .v4 ? AF_INET : AF_INET6
    descriptor = clinux_socket(family, CInt(SOCK_STREAM.rawValue))
    guard descriptor >= 0 else { throw TestFailure("no socket: \(errorText())") }
    _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if reusePort { _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
    if let receiveBuffer {
      _ = clinux_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, CInt(receiveBuffer))
    }
    if let segment { _ = clinux_set_option(descriptor, CInt(IPPROTO_TCP), TCP_MAXSEG, CInt(segment)) }
    let descriptor = descriptor
    guard unsafe address.withSockaddr({ unsafe bind(descriptor, $0, $1) }) == 0,
      listen(descriptor, CInt(backlog)) == 0
    else {
      let text = errorText()
      Glibc.close(descriptor)
      throw TestFailure("cannot listen on \(address): \(text)")
    }
    self.address = try unsafe socketAddress(of: descriptor, getsockname)
  }

  deinit { close() }

  /// Waits for a connection; nil once the deadline has passed.
  public func accept(until deadline: Deadline) throws -> TCPStream? {
    var peer = sockaddr_storage()
    while true {
      let connection = unsafe clinux_accept(descriptor, &peer)
      if connection >= 0 { return TCPStream(adopting: connection) }
      switch errno {
      case EAGAIN:
        guard deadline.waits(for: descriptor, POLLIN) else { return nil }
      case EINTR, ECONNABORTED: break
      default: throw TestFailure("accepting on \(address): \(errorText())")
      }
    }
  }

  /// Waits for a connection; throws when none comes in time.
  public func accept(within span: Duration = .seconds(10)) throws -> TCPStream {
    let deadline = Deadline.after(span)
    guard let stream = try accept(until: deadline) else { throw deadline.failure("a connection to \(address)") }
    return stream
  }

  /// Ends a wait in ``accept(until:)`` and refuses new connections; the descriptor stays until ``close()``.
  func stopListening() { shutdown(descriptor, CInt(SHUT_RDWR)) }

  public func close() {
    if isOpen.exchange(false, ordering: .relaxed) { Glibc.close(descriptor) }
  }
}

/// An address where connecting never ends: a listener whose accept queue is full and is never emptied.
///
/// The kernel drops the SYNs of whoever comes later (listen(2), tcp(7)).
public final class BlackHole: Sendable {
  private let listener: TCPListener
  private let fillers: [TCPStream]
  public var address: SocketAddress { listener.address }

  public init(on address: SocketAddress) throws {
    let listener = try TCPListener(on: address, backlog: 0)
    var fillers: [TCPStream] = []
    // A queue of 0 holds one connection; a second try that hangs shows that it is full.
    for _ in 0..<8 {
      do {
        fillers.append(try TCPStream(to: listener.address, within: .milliseconds(200)))
      } catch is TestFailure {
        break
      }
    }
    guard fillers.count < 8 else { throw TestFailure("the accept queue of \(listener.address) never fills") }
    self.listener = listener
    self.fillers = fillers
  }
}
