import Addresses
import Balancing

/// The endpoints of one Service, port by port, and why they are what they are.
public struct ServiceEndpoints: Hashable, Sendable {
  /// Where the endpoints were found.
  public enum Source: String, Hashable, Sendable, CaseIterable {
    case endpointSlices = "EndpointSlices"
    case endpoints = "Endpoints"
    /// The Service's selector over the Pods.
    case selector = "Pods"
    case nodePorts = "NodePorts"
    /// Nothing to look in.
    case none
  }

  public var source: Source
  /// Why that source was used, in words for `explain`.
  public var reason: String
  /// In the order of `spec.ports`, one for each.
  public var ports: [PortEndpoints]
  /// What else the user should know, as that `externalTrafficPolicy: Local` does not restrict.
  public var notes: [String]
  /// Whether endpoints of other nodes serve although the Service wants this one's alone.
  public var isLocalPolicyNotMet = false

  public init(source: Source, reason: String, ports: [PortEndpoints] = [], notes: [String] = []) {
    self.source = source
    self.reason = reason
    self.ports = ports
    self.notes = notes
  }
}

/// The endpoints of one port of one Service.
public struct PortEndpoints: Hashable, Sendable {
  public var port: Service.Port
  /// Those that take new traffic: each address once, by name, then by address.
  public var endpoints: [ResolvedEndpoint]
  /// Those that take none, by name.
  public var excluded: [ExcludedEndpoint]
  /// Why the port cannot have endpoints at all, as that it has no nodePort; nil otherwise.
  public var problem: String?

  public init(
    port: Service.Port, endpoints: [ResolvedEndpoint] = [], excluded: [ExcludedEndpoint] = [], problem: String? = nil
  ) {
    self.port = port
    self.endpoints = endpoints
    self.excluded = excluded
    self.problem = problem
  }
}

/// An endpoint that takes new traffic.
public struct ResolvedEndpoint: Hashable, Sendable {
  public var address: SocketAddress
  /// The Pod's or the Node's name, or the host name, or the IP address where neither is known.
  public var name: String
  /// The node it runs on; nil where that is not known.
  public var node: String?
  /// The zone it is in; nil where that is not known.
  public var zone: String?
  /// Whether it is on its way out and serves only because no other endpoint is ready (KEP-1669).
  public var isTerminating: Bool

  public init(
    address: SocketAddress, name: String, node: String? = nil, zone: String? = nil, isTerminating: Bool = false
  ) {
    self.address = address
    self.name = name
    self.node = node
    self.zone = zone
    self.isTerminating = isTerminating
  }

  /// As the data plane takes it.
  public var endpoint: Balancing.Endpoint { Balancing.Endpoint(address, name: name) }
}
