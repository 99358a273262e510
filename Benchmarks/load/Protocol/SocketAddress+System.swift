import Addresses
import Glibc

extension SocketAddress {
  /// The address family of the sockets that go there.
  var family: CInt { address.family == .v4 ? AF_INET : AF_INET6 }

  /// The address that a socket is bound to.
  static func local(of descriptor: CInt) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutableBytes(of: &storage) {
      guard let raw = $0.baseAddress else { return CInt(-1) }
      return unsafe getsockname(descriptor, raw.assumingMemoryBound(to: sockaddr.self), &length)
    }
    return result == 0 ? SocketAddress(storage) : nil
  }
}
