import Addresses
import CLibEv
import EventLoop
import Glibc

extension Target {
  /// A socket on its way there. Throws what the system says.
  func connect(from source: IPAddress?) throws(Errno) -> OwnedDescriptor {
    let type = scheme == .udp ? SOCK_DGRAM : SOCK_STREAM
    let socket = try OwnedDescriptor(checking: clinux_socket(address.family, Int32(type.rawValue)))
    if scheme != .udp { _ = clinux_set_option(socket.rawValue, CInt(IPPROTO_TCP), TCP_NODELAY, 1) }
    if let source { try source.bind(socket.rawValue) }
    guard unsafe address.withSockaddr({ unsafe Glibc.connect(socket.rawValue, $0, $1) }) == 0 || errno == EINPROGRESS
    else { throw .current }
    return socket
  }
}

extension IPAddress {
  /// Binds a socket to this address; the port is chosen when it connects, so that many share it (ip(7)).
  func bind(_ socket: CInt) throws(Errno) {
    _ = clinux_set_option(socket, CInt(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
    _ = clinux_set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)
    guard unsafe SocketAddress(self, port: 0).withSockaddr({ unsafe Glibc.bind(socket, $0, $1) }) == 0 else {
      throw .current
    }
  }
}
