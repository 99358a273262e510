import Addresses

/// Where the admin server listens and its clients connect: `127.0.0.1:9900`, `[::1]:9900`, `unix:/path`, `none`.
public enum AdminAddress: Hashable, Sendable {
  /// Port 0 lets the kernel choose.
  case tcp(SocketAddress)
  /// A path in the file system, at most 107 bytes (unix(7)).
  case unix(String)
  /// No admin server.
  case none

  /// 127.0.0.1:9900.
  public static let standard = AdminAddress.tcp(SocketAddress(IPAddress(v4: 0x7F00_0001), port: 9900))

  /// Parses the text form; says what is wrong with it, as ``AdminError/Code/address``.
  public init(_ text: some StringProtocol) throws(AdminError) {
    if text == "none" {
      self = .none
    } else if text.hasPrefix("unix:") {
      let path = String(text.dropFirst("unix:".count))
      guard !path.isEmpty, !path.utf8.contains(0) else { throw AdminError(.address, "'\(text)' names no path") }
      guard path.utf8.count <= 107 else {
        throw AdminError(.address, "'\(text)' is longer than the 107 bytes that a unix socket's path may have")
      }
      self = .unix(path)
    } else if let address = SocketAddress(text) {
      self = .tcp(address)
    } else {
      throw AdminError(.address, "'\(text)' is not ADDRESS:PORT, [IPV6]:PORT, unix:PATH or none")
    }
  }
}

extension AdminAddress: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tcp(let address): address.description
    case .unix(let path): "unix:\(path)"
    case .none: "none"
    }
  }
}
