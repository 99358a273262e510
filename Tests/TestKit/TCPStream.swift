import Addresses
import CLibEv
import Glibc
import Synchronization

/// One end of a TCP connection with blocking calls, each with a deadline.
///
/// One thread may send while another receives. Only one may close, when the others are done.
public final class TCPStream: Sendable {
  /// How the other side's bytes ended.
  public enum End: Sendable, Hashable {
    /// It closed its writing side: a FIN.
    case eof
    /// It, or the path to it, broke the connection: a reset.
    case reset
  }

  /// The socket, open until ``close()``, ``reset()`` or the last reference goes.
  public let descriptor: CInt
  private let isOpen = Atomic(true)

  init(adopting descriptor: CInt) {
    self.descriptor = descriptor
    _ = clinux_set_option(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
  }

  deinit { close() }

  /// Connects to `address`, from `source` when given (port 0: any).
  ///
  /// `segment`: the most bytes in one that it accepts (TCP_MAXSEG). With the loopback's 64 KiB the other side may send
  /// some MB ahead; with an Ethernet's 1460 some 100 KB.
  public init(
    to address: SocketAddress, from source: SocketAddress? = nil, receiveBuffer: Int? = nil, segment: Int? = nil,
    within span: Duration = .seconds(10)
  ) throws {
    let deadline = Deadline.after(span)
    let family = address.address.family == .v4 ? AF_INET : AF_INET6
    descriptor = clinux_socket(family, CInt(SOCK_STREAM.rawValue))
    guard descriptor >= 0 else { throw TestFailure("no socket: \(errorText())") }
    if let receiveBuffer {
      _ = clinux_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, CInt(receiveBuffer))
    }
    _ = clinux_set_option(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    if let segment { _ = clinux_set_option(descriptor, CInt(IPPROTO_TCP), TCP_MAXSEG, CInt(segment)) }
    if let source {
      let bound = unsafe source.withSockaddr { unsafe bind(descriptor, $0, $1) }
      guard bound == 0 else { throw TestFailure("cannot bind \(source): \(errorText())") }
    }
    if unsafe address.withSockaddr({ unsafe Glibc.connect(descriptor, $0, $1) }) == 0 { return }
    guard errno == EINPROGRESS else { throw ConnectFailure(address: address, error: errno) }
    guard deadline.waits(for: descriptor, POLLOUT) else { throw deadline.failure("connecting to \(address)") }
    var error: CInt = 0
    _ = unsafe clinux_get_option(descriptor, SOL_SOCKET, SO_ERROR, &error)
    guard error == 0 else { throw ConnectFailure(address: address, error: error) }
  }

  /// Sends all of `bytes`; throws ``Broken`` when the connection breaks before.
  public func send(_ bytes: [UInt8], within span: Duration = .seconds(10)) throws {
    let sent = try sendAsMuch(bytes, until: .after(span))
    guard sent == bytes.count else {
      throw TestFailure("sending: only \(sent) of \(bytes.count) bytes within \(span)")
    }
  }

  /// Sends until the deadline or the end of `bytes`, whichever comes first; returns how many bytes went.
  public func sendAsMuch(_ bytes: [UInt8], until deadline: Deadline) throws -> Int {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
        return unsafe Glibc.send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        guard deadline.waits(for: descriptor, POLLOUT) else { return sent }
      } else if errno != EINTR {
        throw Broken(afterBytes: sent, error: errno)
      }
    }
    return sent
  }

  public func send(_ text: String, within span: Duration = .seconds(10)) throws {
    try send(Array(text.utf8), within: span)
  }

  /// What one receive gave: bytes, or how the stream ended.
  public enum Received: Sendable, Hashable {
    case bytes([UInt8])
    case end(End)
  }

  /// Waits for some bytes, at most `count`, or for the end.
  public func receive(upTo count: Int = 65536, within span: Duration = .seconds(10)) throws -> Received {
    try receive(upTo: count, until: .after(span))
  }

  func receive(upTo count: Int, until deadline: Deadline) throws -> Received {
    while true {
      var result = 0
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        result = unsafe recv(descriptor, buffer.baseAddress, count, 0)
        filled = max(0, result)
      }
      if result > 0 { return .bytes(bytes) }
      if result == 0 { return .end(.eof) }
      switch errno {
      case ECONNRESET, EPIPE: return .end(.reset)
      case EAGAIN:
        guard deadline.waits(for: descriptor, POLLIN) else { throw deadline.failure("receiving") }
      case EINTR: break
      default: throw TestFailure("receiving: \(errorText())")
      }
    }
  }

  /// Receives exactly `count` bytes; throws when the stream ends before.
  public func receive(exactly count: Int, within span: Duration = .seconds(10)) throws -> [UInt8] {
    let deadline = Deadline.after(span)
    var all: [UInt8] = []
    while all.count < count {
      switch try receive(upTo: count - all.count, until: deadline) {
      case .bytes(let bytes): all += bytes
      case .end(let end): throw TestFailure("\(end) after \(all.count) of \(count) bytes")
      }
    }
    return all
  }

  /// Receives until the stream ends; returns the bytes and how it ended.
  public func receiveUntilEnd(within span: Duration = .seconds(10)) throws -> (bytes: [UInt8], end: End) {
    let deadline = Deadline.after(span)
    var all: [UInt8] = []
    while true {
      switch try receive(upTo: 1 << 18, until: deadline) {
      case .bytes(let bytes): all += bytes
      case .end(let end): return (all, end)
      }
    }
  }

  /// Closes the writing side: sends a FIN after what is queued.
  public func shutdownWrite() throws {
    guard shutdown(descriptor, CInt(SHUT_WR)) == 0 else { throw TestFailure("shutdown: \(errorText())") }
  }

  /// Breaks the connection: the peer gets a reset at once (SO_LINGER with zero seconds).
  public func reset() {
    guard isOpen.exchange(false, ordering: .relaxed) else { return }
    _ = clinux_reset_on_close(descriptor)
    Glibc.close(descriptor)
  }

  /// Closes; once, further calls do nothing.
  public func close() {
    if isOpen.exchange(false, ordering: .relaxed) { Glibc.close(descriptor) }
  }

  /// The address of this end.
  public var localAddress: SocketAddress {
    get throws { try unsafe socketAddress(of: descriptor, getsockname) }
  }

  /// The address of the other end.
  public var remoteAddress: SocketAddress {
    get throws { try unsafe socketAddress(of: descriptor, getpeername) }
  }
}

/// A connection that was refused, or broke while it was made.
public struct ConnectFailure: Error, CustomStringConvertible {
  public let address: SocketAddress
  /// The errno, as ECONNREFUSED.
  public let error: CInt

  public var description: String { "cannot connect to \(address): \(errorText(error))" }
}

/// A connection that broke while bytes were being sent.
public struct Broken: Error, CustomStringConvertible {
  public let afterBytes: Int
  /// The errno: ECONNRESET or EPIPE.
  public let error: CInt

  public var description: String { "broken after \(afterBytes) bytes: \(errorText(error))" }
}

func socketAddress(
  of descriptor: CInt, _ call: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
) throws -> SocketAddress {
  var storage = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
  let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
    // sockaddr_storage is made to be read through any sockaddr.
    unsafe call(descriptor, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &length)
  }
  guard result == 0, let address = SocketAddress(storage) else {
    throw TestFailure("the socket has no address: \(errorText())")
  }
  return address
}
