import Glibc

/// An IP address and a TCP or UDP port.
public struct SocketAddress: Hashable, Sendable {
  public let address: IPAddress
  public let port: UInt16

  public init(_ address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// Parses `1.2.3.4:80` or `[::1]:80`.
  public init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    var host = text[..<colon]
    let digits = text[text.index(after: colon)...]
    guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let port = UInt16(digits)
    else { return nil }
    let bracketed = host.first == "[" && host.last == "]"
    if bracketed { host = host.dropFirst().dropLast() }
    guard let address = IPAddress(host), bracketed == (address.family == .v6) else { return nil }
    self.init(address, port: port)
  }

  /// From what accept4(2), getsockname(2) or recvmsg(2) filled in; nil for other families than AF_INET and AF_INET6.
  ///
  /// An IPv4-mapped IPv6 address stays IPv6.
  public init?(_ storage: sockaddr_storage) {
    var storage = storage
    switch Int32(storage.ss_family) {
    case AF_INET:
      let c = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in.self) }
      self.init(IPAddress(v4: UInt32(bigEndian: c.sin_addr.s_addr)), port: UInt16(bigEndian: c.sin_port))
    case AF_INET6:
      let c = unsafe withUnsafeBytes(of: &storage) { unsafe $0.load(as: sockaddr_in6.self) }
      self.init(IPAddress(c.sin6_addr), port: UInt16(bigEndian: c.sin6_port))
    default: return nil
    }
  }

  /// Calls `body` with the C form, for bind(2), connect(2), sendto(2). The pointer ends with the call.
  @unsafe public func withSockaddr<R, E: Error>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws(E) -> R
  ) throws(E) -> R {
    switch address.family {
    case .v4:
      var c = sockaddr_in()
      c.sin_family = sa_family_t(AF_INET)
      c.sin_port = port.bigEndian
      c.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.bits).bigEndian
      return try unsafe withUnsafePointer(to: &c) { (pointer) throws(E) -> R in
        try unsafe body(
          UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    case .v6:
      var c = sockaddr_in6()
      c.sin6_family = sa_family_t(AF_INET6)
      c.sin6_port = port.bigEndian
      c.sin6_addr = address.in6
      return try unsafe withUnsafePointer(to: &c) { (pointer) throws(E) -> R in
        try unsafe body(
          UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<sockaddr_in6>.size))
      }
    }
  }
}

extension SocketAddress: Comparable {
  public static func < (a: SocketAddress, b: SocketAddress) -> Bool {
    a.address == b.address ? a.port < b.port : a.address < b.address
  }
}

extension SocketAddress: LosslessStringConvertible {
  public var description: String { address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}
