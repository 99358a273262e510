import CLibEv
import Glibc

/// The socket options of relayed connections (tcp(7)).
enum TCPOptions {
  /// Small writes leave at once.
  static func noDelay(_ descriptor: CInt) { _ = clinux_set_option(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, 1) }

  /// A silent host is noticed: first probe after 60 s, then every 10 s, given up after 6.
  static func keepAlive(_ descriptor: CInt) {
    let tcp = CInt(IPPROTO_TCP)
    _ = clinux_set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    _ = clinux_set_option(descriptor, tcp, TCP_KEEPIDLE, 60)
    _ = clinux_set_option(descriptor, tcp, TCP_KEEPINTVL, 10)
    _ = clinux_set_option(descriptor, tcp, TCP_KEEPCNT, 6)
  }
}
