import Addresses
import CLibEv
import Glibc
import Synchronization

/// A UDP socket with calls that block up to a deadline.
///
/// One thread may send while another receives. Only one may close, when the others are done.
public final class UDPSocket: Sendable {
  public let descriptor: CInt
  /// Where it is bound, with the port the kernel chose when 0 was asked for.
  public let address: SocketAddress
  private let isOpen = Atomic(true)

  /// Binds to `address` (port 0: any).
  public init(on address: SocketAddress, receiveBuffer: Int = 4 << 20) throws {
    let family = address.address.family == .v4 ? AF_INET : AF_INET6
    descriptor = clinux_socket(family, CInt(SOCK_DGRAM.rawValue))
    guard descriptor >= 0 else { throw TestFailure("no socket: \(errorText())") }
    for option in [SO_RCVBUF, SO_RCVBUFFORCE] {
      _ = clinux_set_option(descriptor, SOL_SOCKET, option, CInt(receiveBuffer))
    }
    let descriptor = descriptor
    guard unsafe address.withSockaddr({ unsafe bind(descriptor, $0, $1) }) == 0 else {
      let text = errorText()
      Glibc.close(descriptor)
      throw TestFailure("cannot bind \(address): \(text)")
    }
    self.address = try unsafe socketAddress(of: descriptor, getsockname)
  }

  deinit { close() }

  /// Takes datagrams of `peer` alone from now on, and sends to it.
  public func connect(to peer: SocketAddress) throws {
    guard unsafe peer.withSockaddr({ unsafe Glibc.connect(descriptor, $0, $1) }) == 0 else {
      throw TestFailure("cannot connect to \(peer): \(errorText())")
    }
  }

  /// Sends one datagram, to the connected peer without `peer`.
  public func send(_ bytes: [UInt8], to peer: SocketAddress? = nil, within span: Duration = .seconds(10)) throws {
    let deadline = Deadline.after(span)
    while true {
      let sent = unsafe bytes.withUnsafeBytes { buffer in
        guard let peer else { return unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, 0) }
        return unsafe peer.withSockaddr { unsafe sendto(descriptor, buffer.baseAddress, buffer.count, 0, $0, $1) }
      }
      if sent == bytes.count { return }
      guard sent < 0, errno == EAGAIN, deadline.waits(for: descriptor, POLLOUT) else {
        throw TestFailure("sending \(bytes.count) bytes: \(errorText())")
      }
    }
  }

  public func send(_ text: String, to peer: SocketAddress? = nil) throws { try send(Array(text.utf8), to: peer) }

  /// A datagram and who sent it.
  public struct Datagram: Sendable, Hashable {
    public let bytes: [UInt8]
    public let source: SocketAddress
    public var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// Waits for a datagram; throws when none comes in time.
  public func receive(within span: Duration = .seconds(10)) throws -> Datagram {
    let deadline = Deadline.after(span)
    guard let datagram = try receive(until: deadline) else { throw deadline.failure("a datagram at \(address)") }
    return datagram
  }

  /// Waits for a datagram; nil once the deadline has passed.
  public func receive(until deadline: Deadline) throws -> Datagram? {
    var peer = sockaddr_storage()
    while true {
      var count = 0
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65536) { buffer, filled in
        unsafe withUnsafeMutablePointer(to: &peer) { pointer in
          var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
          // sockaddr_storage is made to be read through any sockaddr.
          let address = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
          count = unsafe recvfrom(descriptor, buffer.baseAddress, buffer.count, 0, address, &length)
        }
        filled = max(0, count)
      }
      if count >= 0 {
        guard let source = SocketAddress(peer) else { throw TestFailure("a datagram without a source") }
        return Datagram(bytes: bytes, source: source)
      }
      switch errno {
      case EAGAIN: guard deadline.waits(for: descriptor, POLLIN) else { return nil }
      // Word of an earlier datagram that was refused.
      case EINTR, ECONNREFUSED: break
      default: throw TestFailure("receiving at \(address): \(errorText())")
      }
    }
  }

  /// Sends `text` and waits for the answer.
  public func ask(_ text: String, of peer: SocketAddress, within span: Duration = .seconds(10)) throws -> String {
    try send(text, to: peer)
    return try receive(within: span).text
  }

  public func close() {
    if isOpen.exchange(false, ordering: .relaxed) { Glibc.close(descriptor) }
  }
}

/// A UDP server with one thread: each datagram is kept, and answered by what a handler makes of it.
///
/// It ends with its last reference or with ``stop()``; its port is closed then and refuses.
public final class UDPServer: Sendable {
  /// The answers to one datagram.
  public typealias Handler = @Sendable (UDPSocket.Datagram) -> [[UInt8]]

  public let address: SocketAddress
  private let core: Core
  private let thread: TestThread

  public init(on address: SocketAddress, _ handler: @escaping Handler) throws {
    let core = Core(socket: try UDPSocket(on: address), handler: handler)
    self.core = core
    self.address = core.socket.address
    thread = try TestThread { core.run() }
  }

  /// Answers each datagram with the same bytes.
  public static func echo(on address: SocketAddress) throws -> UDPServer {
    try UDPServer(on: address) { [$0.bytes] }
  }

  /// Answers each datagram with a name.
  public static func name(_ name: String, on address: SocketAddress) throws -> UDPServer {
    try UDPServer(on: address) { _ in [Array(name.utf8)] }
  }

  deinit { stop() }

  /// What came so far, in order.
  public var received: [UDPSocket.Datagram] { core.received.all }

  /// The oldest datagram that nobody took.
  public func next(within span: Duration = .seconds(10)) throws -> UDPSocket.Datagram {
    try core.received.next("a datagram at \(address)", within: span)
  }

  /// Sends from the server's port.
  public func send(_ bytes: [UInt8], to peer: SocketAddress) throws { try core.socket.send(bytes, to: peer) }

  public func stop() {
    guard !core.isStopped.exchange(true, ordering: .relaxed) else { return }
    thread.join()
    core.socket.close()
  }

  private final class Core: Sendable {
    let socket: UDPSocket
    let handler: Handler
    let received = Mailbox<UDPSocket.Datagram>()
    let isStopped = Atomic(false)

    init(socket: UDPSocket, handler: @escaping Handler) {
      self.socket = socket
      self.handler = handler
    }

    func run() {
      while !isStopped.load(ordering: .relaxed) {
        guard let datagram = try? socket.receive(until: .after(.milliseconds(20))) else { continue }
        received.post(datagram)
        for answer in handler(datagram) { try? socket.send(answer, to: datagram.source) }
      }
    }
  }
}
