import Addresses

/// The transport protocol of a Service port.
public enum TransportProtocol: String, Hashable, Sendable, CaseIterable {
  case tcp = "TCP"
  case udp = "UDP"
}

/// Time limits of a Service's connections, in seconds; annotations `roadstead.dev/connect-timeout` and so on.
public struct Timeouts: Hashable, Sendable {
  /// All tries to reach an endpoint together; one try gets at most a third.
  public var connect: Double
  /// Without a byte in either direction.
  public var idle: Double
  /// Without a byte, once one side has sent its FIN.
  public var halfClosed: Double
  /// Without a datagram in either direction, for a UDP flow.
  public var udpIdle: Double

  public init(connect: Double = 5, idle: Double = 3600, halfClosed: Double = 3600, udpIdle: Double = 60) {
    self.connect = connect
    self.idle = idle
    self.halfClosed = halfClosed
    self.udpIdle = udpIdle
  }
}

/// One port of one Service as the data plane is to serve it: where to listen, where to send, how to choose.
///
/// A plain value; equal values need no change on the shards.
public struct ServicePort: Hashable, Sendable {
  /// `namespace/name` of the Service, or `-` without Kubernetes.
  public var service: String
  /// The port's name in the Service, or empty.
  public var name: String
  public var transport: TransportProtocol
  /// The external addresses with the port, one for each address family that the Service has.
  public var listen: [SocketAddress]
  /// Endpoints that take new traffic, in a stable order.
  public var endpoints: [Endpoint]
  public var balance: BalancePolicy
  public var timeouts: Timeouts

  public init(
    service: String, name: String = "", transport: TransportProtocol = .tcp, listen: [SocketAddress],
    endpoints: [Endpoint], balance: BalancePolicy = .roundRobin, timeouts: Timeouts = Timeouts()
  ) {
    self.service = service
    self.name = name
    self.transport = transport
    self.listen = listen
    self.endpoints = endpoints
    self.balance = balance
    self.timeouts = timeouts
  }
}
