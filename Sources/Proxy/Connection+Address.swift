import Addresses
import Glibc

extension Connection {
  /// The address that the client connected to; nil where the kernel does not tell any more.
  var externalAddress: IPAddress? {
    // A port with one address to listen on, as most are, costs no system call.
    if served.port.listen.count == 1, !served.port.listen[0].address.isUnspecified {
      return served.port.listen[0].address
    }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // The pointers live through the call; sockaddr_storage is made to be written through any sockaddr.
    let result = unsafe withUnsafeMutablePointer(to: &storage) {
      unsafe getsockname(
        clientDescriptor, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
    }
    return result == 0 ? SocketAddress(storage)?.address : nil
  }
}
