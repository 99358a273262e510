import Addresses
import CLibNl
import EventLoop
import Glibc

extension AnnouncementObstacle: Error {
  /// What the kernel means by refusing an address of `family` on an interface, from libnl's negative NLE_* code.
  init(netlink code: CInt, family: IPAddress.Family, interface index: CInt) {
    switch -code {
    case NLE_PERM: self = .missingCapability("CAP_NET_ADMIN")
    // EACCES: net.ipv6.conf.IFACE.disable_ipv6.
    case NLE_NOACCESS where family == .v6:
      self = .system("IPv6 is disabled on \(interfaceName(index))")
    // EOPNOTSUPP, EAFNOSUPPORT: the kernel was started with ipv6.disable=1, or has none.
    case NLE_OPNOTSUPP where family == .v6, NLE_AF_NOSUPPORT where family == .v6:
      self = .system("IPv6 is disabled on this host")
    // The words are static.
    default: self = unsafe .system(String(cString: clibnl_words(code)))
    }
  }

  /// What a refused system call means that needs `capability`.
  init(_ error: Errno, capability: String) {
    self = error.rawValue == EPERM ? .missingCapability(capability) : .system("\(error)")
  }
}

/// The name of an interface of the calling thread's network namespace; `interface 7` where there is none.
func interfaceName(_ index: CInt) -> String {
  unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { buffer in
    // The buffer is as long as the longest name with its zero.
    guard let name = unsafe if_indextoname(UInt32(bitPattern: index), buffer.baseAddress) else {
      return "interface \(index)"
    }
    return unsafe String(cString: name)
  }
}
