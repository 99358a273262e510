import Addresses
import Admin
import Glibc

/// Which interfaces have which address (getifaddrs(3)), as of one moment.
struct InterfaceAddresses: Sendable {
  private var interfaces: [IPAddress: [String]] = [:]
  private var subnets: Set<IPPrefix> = []
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
      guard let ip = unsafe Self.ip(address) else { continue }
      let interface = unsafe String(cString: name)
      if interfaces[ip]?.contains(interface) != true { interfaces[ip, default: []].append(interface) }
      if ip.isLoopback { loopback = interface }
      guard let mask = unsafe entry.pointee.ifa_netmask, let bits = unsafe Self.ip(mask)?.bits else { continue }
      let length = bits.nonzeroBitCount
      if length < ip.family.bitCount, let subnet = IPPrefix(ip, length: length) { subnets.insert(subnet) }
    }
  }

  /// The address of a sockaddr of IPv4 or IPv6, which is as long as its family says and lives through the call.
  private static func ip(_ address: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
    var storage = sockaddr_storage()
    let length: Int
    switch Int32(unsafe address.pointee.sa_family) {
    case AF_INET: length = MemoryLayout<sockaddr_in>.size
    case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
    default: return nil
    }
    unsafe withUnsafeMutableBytes(of: &storage) {
      unsafe $0.baseAddress?.copyMemory(from: address, byteCount: length)
    }
    return SocketAddress(storage)?.address
  }

  /// The interfaces that have `address`, by name; every address of 127.0.0.0/8 is the loopback interface's.
  func interfaces(of address: IPAddress) -> [String] {
    if let interfaces = interfaces[address] { return interfaces.sorted() }
    return address.isLoopback && address.family == .v4 ? [loopback].compactMap(\.self) : []
  }

  /// Whether an interface has an address in a subnet that holds `address`, too.
  func haveSubnet(of address: IPAddress) -> Bool { subnets.contains { $0.contains(address) } }

  /// Tells on `state` which interfaces have the address `ip`.
  func fill(_ state: inout AdminState.Address, of ip: IPAddress) {
    state.interfaces = interfaces(of: ip)
    state.interface = state.interfaces?.first
  }
}
