import Addresses

/// An address with a port and its transport protocol: what one group of sockets listens on.
public struct ListenAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let transport: TransportProtocol
  public let address: SocketAddress

  public init(_ transport: TransportProtocol, _ address: SocketAddress) {
    self.transport = transport
    self.address = address
  }

  /// Not by the protocol's name, which would be hashed as text.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(address)
    hasher.combine(transport == .tcp)
  }

  public static func < (a: ListenAddress, b: ListenAddress) -> Bool {
    a.address == b.address ? a.transport == .tcp && b.transport == .udp : a.address < b.address
  }

  /// `10.101.0.50:53/UDP`.
  public var description: String { "\(address)/\(transport.rawValue)" }
}

extension ServicePort {
  /// Where it listens, with its protocol.
  public var listenAddresses: [ListenAddress] { listen.map { ListenAddress(transport, $0) } }
}
