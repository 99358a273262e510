import Addresses

/// What the cluster is to be told about one Service.
public struct ServiceReport: Hashable, Sendable {
  /// A port of an address (core/v1 PortStatus).
  public struct Port: Hashable, Sendable {
    public var port: UInt16
    /// `TCP`, `UDP`.
    public var transport: String
    /// Why it is not served, as a CamelCase word of at most 316 characters; nil where it is.
    public var error: String?

    public init(port: UInt16, transport: String, error: String? = nil) {
      self.port = port
      self.transport = transport
      self.error = error
    }
  }

  /// One of `status.conditions`.
  public struct Condition: Hashable, Sendable {
    /// With its prefix, as `roadstead.dev/Announced`.
    public var type: String
    public var isTrue: Bool
    /// One CamelCase word.
    public var reason: String
    /// For people.
    public var message: String

    public init(type: String, isTrue: Bool, reason: String, message: String) {
      self.type = type
      self.isTrue = isTrue
      self.reason = reason
      self.message = message
    }
  }

  /// Something that happened, for `kubectl describe`.
  public struct Event: Hashable, Sendable {
    public var isWarning: Bool
    /// As `IPAllocated`.
    public var reason: String
    public var message: String

    public init(isWarning: Bool = false, reason: String, message: String) {
      self.isWarning = isWarning
      self.reason = reason
      self.message = message
    }
  }

  public var name: NamespacedName
  /// `status.loadBalancer.ingress`; empty where the Service has no address.
  public var addresses: [IPAddress]
  public var ports: [Port]
  public var conditions: [Condition]
  /// The pool its addresses came from; nil without any.
  public var pool: String?
  /// New since the last report.
  public var events: [Event]

  public init(
    name: NamespacedName, addresses: [IPAddress] = [], ports: [Port] = [], conditions: [Condition] = [],
    pool: String? = nil, events: [Event] = []
  ) {
    self.name = name
    self.addresses = addresses
    self.ports = ports
    self.conditions = conditions
    self.pool = pool
    self.events = events
  }
}
