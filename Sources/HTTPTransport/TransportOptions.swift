/// What every request of one transport has in common. Times are in seconds, sizes in bytes.
public struct TransportOptions: Hashable, Sendable {
  public var tls: TLSOptions
  /// A proxy's URL; nil: none, whatever the environment says.
  public var proxy: String?
  /// For name resolution, TCP and TLS together.
  public var connectTimeout = 5.0
  /// Longest a whole answer may take, from its request on.
  public var unaryTimeout = 30.0
  /// Longest a stream may stay silent while its reader is ready for more.
  public var idleTimeout = 90.0
  /// Largest body of a whole answer.
  public var bodyLimit = 32 << 20
  /// Largest head of an answer.
  public var headLimit = 64 << 10
  /// Unread bytes at which a stream stops reading from its socket.
  public var streamWindow = 64 << 10
  /// Idle connections kept for reuse. libcurl's own default grows with the busiest moment.
  public var pooledConnections = 4

  public init(tls: TLSOptions = TLSOptions()) { self.tls = tls }
}
