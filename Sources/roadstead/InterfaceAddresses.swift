import Addresses
import Glibc

/// Which interface has which address (getifaddrs(3)), as of one moment.
struct InterfaceAddresses: Sendable {
  private var interfaces: [IPAddress: String] = [:]
  private var loopback: String?

  /// Asks the kernel. Empty where it does not answer.
  init() {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { return }
    // Freed below, after the last use of the entries.
    defer { unsafe freeifaddrs(list) }
    var next = unsafe list
    while let entry = unsafe next {
      unsafe next = entry.pointee.ifa_next
      guard let address = unsafe entry.pointee.ifa_addr, let name = unsafe entry.pointee.ifa_name else { continue }
      var storage = sockaddr_storage()
      let length: Int
      switch Int32(unsafe address.pointee.sa_family) {
      case AF_INET: length = MemoryLayout<sockaddr_in>.size
      case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
      default: continue
      }
      unsafe withUnsafeMutableBytes(of: &storage) {
        unsafe $0.baseAddress?.copyMemory(from: address, byteCount: length)
      }
      guard let ip = SocketAddress(storage)?.address else { continue }
      let interface = unsafe String(cString: name)
      interfaces[ip] = interface
      if ip.isLoopback { loopback = interface }
    }
  }

  /// The interface that has `address`; every address of 127.0.0.0/8 is the loopback interface's.
  func interface(of address: IPAddress) -> String? {
    interfaces[address] ?? (address.isLoopback && address.family == .v4 ? loopback : nil)
  }
}
