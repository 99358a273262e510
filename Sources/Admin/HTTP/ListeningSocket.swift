import Addresses
import CLibEv
import EventLoop
import Glibc

/// A socket that listens at an ``AdminAddress``, and for a unix one its file.
struct ListeningSocket: ~Copyable {
  var descriptor: OwnedDescriptor
  /// With the port that the kernel chose.
  let address: AdminAddress
  var file: UnixSocketFile?

  // The kernel takes the smaller of this and net.core.somaxconn.
  private static let backlog: CInt = 1024

  /// Binds and listens. Throws ``AdminError/Code/inUse``, ``AdminError/Code/system`` or ``AdminError/Code/address``.
  init(_ address: AdminAddress) throws(AdminError) {
    switch address {
    case .tcp(let tcp):
      let (descriptor, bound) = try Self.listen(tcp)
      self.descriptor = OwnedDescriptor(descriptor)
      self.address = .tcp(bound)
      file = nil
    case .unix(let path):
      descriptor = OwnedDescriptor(try Self.listen(path))
      self.address = address
      file = UnixSocketFile(boundAt: path)
    case .none: throw AdminError(.address, "'none' is no address to listen at")
    }
  }
}

extension ListeningSocket {
  private static func listen(_ address: SocketAddress) throws(AdminError) -> (CInt, SocketAddress) {
    let family = address.address.family == .v4 ? AF_INET : AF_INET6
    let descriptor = try socket(family, for: .tcp(address))
    // A just ended process leaves connections in TIME_WAIT.
    _ = clinux_set_option(descriptor.rawValue, SOL_SOCKET, SO_REUSEADDR, 1)
    if family == AF_INET6 { _ = clinux_set_option(descriptor.rawValue, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    // The pointers live through the calls.
    let bound = unsafe address.withSockaddr { unsafe bind(descriptor.rawValue, $0, $1) }
    guard bound == 0, Glibc.listen(descriptor.rawValue, backlog) == 0 else {
      let error = Errno.current
      throw error.rawValue == EADDRINUSE
        ? AdminError(.inUse, "\(address) is in use by another process")
        : AdminError(.system, "cannot listen at \(address): \(error)")
    }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let named = unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe getsockname(
        descriptor.rawValue, UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self), &length)
    }
    return (descriptor.take(), (named == 0 ? SocketAddress(storage) : nil) ?? address)
  }

  private static func listen(_ path: String) throws(AdminError) -> CInt {
    let address = AdminAddress.unix(path)
    try removeStaleSocket(path)
    let descriptor = try socket(AF_UNIX, for: address)
    // On Linux the file that bind(2) makes takes the socket's own mode; umask(2) would be the whole process's.
    fchmod(descriptor.rawValue, 0o600)
    guard unsafe withUnixAddress(path, { unsafe bind(descriptor.rawValue, $0, $1) }) == 0,
      Glibc.listen(descriptor.rawValue, backlog) == 0
    else {
      let error = Errno.current
      throw error.rawValue == EADDRINUSE
        ? AdminError(.inUse, "\(address) is in use by another process")
        : AdminError(.system, "cannot listen at \(address): \(error)")
    }
    return descriptor.take()
  }

  /// Removes the socket of a process that is gone; whatever else is there stays and is an error.
  private static func removeStaleSocket(_ path: String) throws(AdminError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw AdminError(.inUse, "cannot listen at unix:\(path): the file exists and is not a socket")
    }
    let probe = try socket(AF_UNIX, for: .unix(path))
    let connected = unsafe withUnixAddress(path) { unsafe connect(probe.rawValue, $0, $1) }
    // Anything but a refusal means that somebody listens, or that we may not know.
    guard connected != 0, Errno.current.rawValue == ECONNREFUSED else {
      throw AdminError(.inUse, "unix:\(path) is in use by another process")
    }
    unsafe unlink(path)
  }

  private static func socket(_ family: CInt, for address: AdminAddress) throws(AdminError) -> OwnedDescriptor {
    do {
      return try OwnedDescriptor(checking: clinux_socket(family, CInt(SOCK_STREAM.rawValue)))
    } catch {
      throw AdminError(.system, "cannot listen at \(address): \(error)")
    }
  }

  /// Calls `body` with the path's C form; the pointer ends with the call. The path has at most 107 bytes.
  @unsafe private static func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt)
    -> CInt
  {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      // The last byte stays zero.
      unsafe bytes.copyBytes(from: path.utf8.prefix(bytes.count - 1))
    }
    return unsafe withUnsafePointer(to: &address) { address in
      unsafe body(
        UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
}
