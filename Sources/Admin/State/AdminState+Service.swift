extension AdminState {
  /// One Service, and what became of it.
  public struct Service: Codable, Hashable, Sendable {
    /// Empty without Kubernetes.
    public var namespace: String
    public var name: String
    /// `LoadBalancer`, or `Listen` for what `--listen` asked for.
    public var type: String
    /// Where it was read, as `webserver.yaml:3`.
    public var origin: String?
    /// The external addresses it has; empty while it waits.
    public var addresses: [Address]
    /// Why it has no address, or not all it asked for; nil when nothing is missing.
    public var waiting: String?
    /// How an endpoint is chosen, as `round-robin`.
    public var balance: String
    /// What annotations set beyond ``balance``: the name without `roadstead.dev/` to its value.
    public var settings: [String: String]
    public var target: Target
    public var ports: [Port]

    public init(
      namespace: String, name: String, type: String = "LoadBalancer", origin: String? = nil, addresses: [Address] = [],
      waiting: String? = nil, balance: String = "round-robin", settings: [String: String] = [:],
      target: Target = Target(), ports: [Port] = []
    ) {
      self.namespace = namespace
      self.name = name
      self.type = type
      self.origin = origin
      self.addresses = addresses
      self.waiting = waiting
      self.balance = balance
      self.settings = settings
      self.target = target
      self.ports = ports
    }

    /// `namespace/name`, or the name alone without Kubernetes.
    public var qualifiedName: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
  }
}
