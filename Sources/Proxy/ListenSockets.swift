import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// Why an address cannot be listened on.
public enum ListenError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Another process holds it, with SO_REUSEPORT or without.
  case addressInUse(ListenAddress)
  /// A port below ip_unprivileged_port_start, without CAP_NET_BIND_SERVICE.
  case notPermitted(ListenAddress)
  case failed(ListenAddress, Errno)

  public var description: String {
    switch self {
    case .addressInUse(let address): "\(Self.text(address)) is in use by another process"
    case .notPermitted(let address):
      "no permission to listen on \(Self.text(address)): ports below 1024 need CAP_NET_BIND_SERVICE"
    case .failed(let address, let error): "cannot listen on \(Self.text(address)): \(error)"
    }
  }
}

extension ListenError {
  /// TCP goes without saying.
  private static func text(_ address: ListenAddress) -> String {
    address.transport == .tcp ? "\(address.address)" : "\(address)"
  }
}

/// Opens the listening sockets of one address, one for each shard.
enum ListenSockets {
  // The kernel lowers it to net.core.somaxconn.
  private static let backlog: CInt = 65_535
  // All clients of a shard share it: 4,000 datagrams of 1,200 bytes.
  private static let receiveBuffer: CInt = 8 << 20

  /// `count` sockets in one SO_REUSEPORT group, bound and listening. Any thread may call it.
  ///
  /// IP_FREEBIND lets a stand-by listen before the address is on an interface (ip(7)).
  static func open(_ address: ListenAddress, count: Int) throws(ListenError) -> [CInt] {
    do throws(Errno) {
      // Alone first: SO_REUSEPORT would silently share the address with another process of this user.
      _ = try bound(address, isShared: false)
      var sockets: [CInt] = []
      do throws(Errno) {
        for _ in 0..<count {
          let socket = try bound(address, isShared: true)
          switch address.transport {
          case .tcp:
            TCPOptions.noDelay(socket.rawValue)
            guard listen(socket.rawValue, backlog) == 0 else { throw Errno.current }
          case .udp:
            cdatagram_prepare(socket.rawValue, receiveBuffer)
            cdatagram_coalesce(socket.rawValue)
            // Replies are to leave from the address that was asked.
            let ip = address.address.address
            if ip.bits == 0 { cdatagram_tell_local(socket.rawValue, ip.family == .v4 ? 4 : 6) }
          }
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

  private static func bound(_ address: ListenAddress, isShared: Bool) throws(Errno) -> OwnedDescriptor {
    let isTCP = address.transport == .tcp
    let isV4 = address.address.address.family == .v4
    let socket = try OwnedDescriptor(
      checking: clinux_socket(isV4 ? AF_INET : AF_INET6, Int32(isTCP ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)))
    // On a UDP socket it would share the address (socket(7)).
    if isTCP { try set(socket.rawValue, SOL_SOCKET, SO_REUSEADDR) }
    if isShared { try set(socket.rawValue, SOL_SOCKET, SO_REUSEPORT) }
    if isV4 {
      try set(socket.rawValue, CInt(IPPROTO_IP), IP_FREEBIND)
    } else {
      try set(socket.rawValue, CInt(IPPROTO_IPV6), IPV6_V6ONLY)
      try set(socket.rawValue, CInt(IPPROTO_IPV6), IPV6_FREEBIND)
    }
    let result = unsafe address.address.withSockaddr { unsafe bind(socket.rawValue, $0, $1) }
    guard result == 0 else { throw Errno.current }
    return socket
  }

  private static func set(_ socket: CInt, _ level: CInt, _ option: CInt) throws(Errno) {
    let error = clinux_set_option(socket, level, option, 1)
    guard error == 0 else { throw Errno(rawValue: error) }
  }
}
