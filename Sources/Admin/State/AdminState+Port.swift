extension AdminState {
  /// One port of a Service: where it listens, and where its traffic goes.
  public struct Port: Codable, Hashable, Sendable {
    /// The port's name in the Service, or empty.
    public var name: String
    /// `TCP` or `UDP`.
    public var transport: String
    public var port: UInt16
    /// As the Service says: a number or a name; with node ports the node port.
    public var targetPort: String
    /// The addresses with the port that are open: `10.101.0.50:8080`.
    public var listening: [String]
    /// Why others are not, as `10.101.0.50:8080 is in use by another process`.
    public var errors: [String]
    public var counters: Counters
    /// Every endpoint that takes traffic or would but for its health, in the order of the rotation.
    public var endpoints: [Endpoint]
    /// Those that belong to the Service and are not in the rotation, and why.
    public var excluded: [Excluded]

    enum CodingKeys: String, CodingKey {
      case name, port, targetPort, listening, errors, counters, endpoints, excluded
      case transport = "protocol"
    }

    public init(
      name: String = "", transport: String = "TCP", port: UInt16, targetPort: String = "", listening: [String] = [],
      errors: [String] = [], counters: Counters = Counters(), endpoints: [Endpoint] = [], excluded: [Excluded] = []
    ) {
      self.name = name
      self.transport = transport
      self.port = port
      self.targetPort = targetPort
      self.listening = listening
      self.errors = errors
      self.counters = counters
      self.endpoints = endpoints
      self.excluded = excluded
    }
  }
}
