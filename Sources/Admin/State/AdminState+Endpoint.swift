extension AdminState {
  /// An endpoint in the rotation.
  public struct Endpoint: Codable, Hashable, Sendable {
    /// The pod's or node's name, or the address.
    public var name: String
    /// With the port: `10.244.1.7:80`.
    public var address: String
    /// 1 to 256.
    public var weight: Int
    /// The node it runs on, where that is known.
    public var node: String?
    public var takesTraffic: Bool
    /// Why it takes none; nil when it does.
    public var reason: String?
    /// Connections open now.
    public var active: UInt64
    /// Connections made since the start.
    public var total: UInt64
    /// Connects that were refused, reset or timed out.
    public var connectFailures: UInt64
    /// Bytes from clients to this endpoint.
    public var bytesIn: UInt64
    /// Bytes from this endpoint to clients.
    public var bytesOut: UInt64

    public init(
      name: String, address: String, weight: Int = 1, node: String? = nil, takesTraffic: Bool = true,
      reason: String? = nil, active: UInt64 = 0, total: UInt64 = 0, connectFailures: UInt64 = 0, bytesIn: UInt64 = 0,
      bytesOut: UInt64 = 0
    ) {
      self.name = name
      self.address = address
      self.weight = weight
      self.node = node
      self.takesTraffic = takesTraffic
      self.reason = reason
      self.active = active
      self.total = total
      self.connectFailures = connectFailures
      self.bytesIn = bytesIn
      self.bytesOut = bytesOut
    }
  }

  /// An endpoint that gets no traffic, as a pod that is not ready.
  public struct Excluded: Codable, Hashable, Sendable {
    public var name: String
    /// With or without a port; nil when it has none yet.
    public var address: String?
    /// Why, as `not ready` or `terminating`.
    public var reason: String

    public init(name: String, address: String? = nil, reason: String) {
      self.name = name
      self.address = address
      self.reason = reason
    }
  }
}
