import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// Why an address cannot be listened on.
public enum ListenError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Another process holds it, with SO_REUSEPORT or without.
  case addressInUse(SocketAddress)
  /// A port below ip_unprivileged_port_start, without CAP_NET_BIND_SERVICE.
  case notPermitted(SocketAddress)
  case failed(SocketAddress, Errno)

  public var description: String {
    switch self {
    case .addressInUse(let address): "\(address) is in use by another process"
    case .notPermitted(let address): "no permission to listen on \(address): ports below 1024 need CAP_NET_BIND_SERVICE"
    case .failed(let address, let error): "cannot listen on \(address): \(error)"
    }
  }
}

/// Opens the listening sockets of one address, one for each shard.
enum ListenSockets {
  // The kernel lowers it to net.core.somaxconn.
  private static let backlog: CInt = 65_535

  /// `count` sockets in one SO_REUSEPORT group, bound and listening. Any thread may call it.
  ///
  /// IP_FREEBIND lets a stand-by listen before the address is on an interface (ip(7)).
  static func open(_ address: SocketAddress, count: Int) throws(ListenError) -> [CInt] {
    do throws(Errno) {
      // Alone first: SO_REUSEPORT would silently share the address with another process of this user.
      _ = try bound(address, isShared: false)
      var sockets: [CInt] = []
      do throws(Errno) {
        for _ in 0..<count {
          let socket = try bound(address, isShared: true)
          TCPOptions.noDelay(socket.rawValue)
          TCPOptions.keepAlive(socket.rawValue)
          guard listen(socket.rawValue, backlog) == 0 else { throw Errno.current }
          sockets.append(socket.take())
        }
      } catch {
        for socket in sockets { close(socket) }
        throw error
      }
      return sockets
    } catch {
      switch error.rawValue {
      case EADDRINUSE: throw .addressInUse(address)
      case EACCES, EPERM: throw .notPermitted(address)
      default: throw .failed(address, error)
      }
    }
  }

  private static func bound(_ address: SocketAddress, isShared: Bool) throws(Errno) -> OwnedDescriptor {
    let isV4 = address.address.family == .v4
    let socket = try OwnedDescriptor(
      checking: clinux_socket(isV4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue)))
    try set(socket.rawValue, SOL_SOCKET, SO_REUSEADDR)
    if isShared { try set(socket.rawValue, SOL_SOCKET, SO_REUSEPORT) }
    if isV4 {
      try set(socket.rawValue, CInt(IPPROTO_IP), IP_FREEBIND)
    } else {
      try set(socket.rawValue, CInt(IPPROTO_IPV6), IPV6_V6ONLY)
      try set(socket.rawValue, CInt(IPPROTO_IPV6), IPV6_FREEBIND)
    }
    let result = unsafe address.withSockaddr { unsafe bind(socket.rawValue, $0, $1) }
    guard result == 0 else { throw Errno.current }
    return socket
  }

  private static func set(_ socket: CInt, _ level: CInt, _ option: CInt) throws(Errno) {
    let error = clinux_set_option(socket, level, option, 1)
    guard error == 0 else { throw Errno(rawValue: error) }
  }
}
