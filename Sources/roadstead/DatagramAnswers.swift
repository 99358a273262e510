import Addresses
import Admin
import CLibEv
import EventLoop
import Glibc

/// The UDP side of `roadstead backend`: answers each datagram with a name, or with itself. Loop only.
final class DatagramAnswers: EventHandler {
  /// What a datagram gets.
  enum Answer: Sendable {
    /// Always these bytes.
    case bytes([UInt8])
    /// What it holds.
    case echo
  }

  private let answer: Answer
  private var buffer = [UInt8](repeating: 0, count: 65_536)
  private var watcher: ReadinessWatcher?

  // So many before others on the loop get a turn.
  private static let atOnce = 64
  private static let receiveBuffer: CInt = 8 << 20

  /// Listens at `address`. Throws what the system says.
  init(loop: EventLoop, address: SocketAddress, answer: Answer) throws(AdminError) {
    self.answer = answer
    super.init()
    do throws(Errno) {
      let family = address.address.family == .v4 ? AF_INET : AF_INET6
      let socket = try OwnedDescriptor(checking: clinux_socket(family, Int32(SOCK_DGRAM.rawValue)))
      if family == AF_INET6 { _ = clinux_set_option(socket.rawValue, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
      cdatagram_prepare(socket.rawValue, Self.receiveBuffer)
      guard unsafe address.withSockaddr({ unsafe bind(socket.rawValue, $0, $1) }) == 0 else { throw .current }
      watcher = ReadinessWatcher(loop: loop, descriptor: socket, handler: self)
      watcher?.watch(.read)
    } catch {
      throw error.rawValue == EADDRINUSE
        ? AdminError(.inUse, "\(address)/UDP is in use by another process")
        : AdminError(.system, "cannot listen at \(address)/UDP: \(error)")
    }
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    for _ in 0..<Self.atOnce where !answerOne(descriptor) { return }
  }

  /// Whether there was one.
  private func answerOne(_ socket: CInt) -> Bool {
    var peer = sockaddr_storage()
    // The pointers live through the calls; sockaddr_storage is made to be read through any sockaddr.
    return unsafe withUnsafeMutablePointer(to: &peer) { storage in
      let address = unsafe UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let count = unsafe recvfrom(socket, &buffer, buffer.count, 0, address, &length)
      guard count >= 0 else { return false }
      switch answer {
      case .bytes(let bytes): _ = unsafe sendto(socket, bytes, bytes.count, 0, address, length)
      case .echo: _ = unsafe sendto(socket, buffer, count, 0, address, length)
      }
      return true
    }
  }
}
