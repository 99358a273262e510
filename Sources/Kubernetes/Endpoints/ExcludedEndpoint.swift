import Addresses

/// Something that could be an endpoint, takes no new traffic, and why.
public struct ExcludedEndpoint: Hashable, Sendable {
  /// What it is.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case pod
    case node
    /// An address without an object behind it.
    case endpoint
  }

  public var kind: Kind
  public var name: String
  public var address: IPAddress?
  public var reason: Reason

  public init(_ kind: Kind, _ name: String, address: IPAddress? = nil, reason: Reason) {
    self.kind = kind
    self.name = name
    self.address = address
    self.reason = reason
  }

  /// Why it takes no new traffic.
  public enum Reason: Hashable, Sendable {
    /// With the condition's own reason, where it gives one.
    case notReady(String?)
    case noReadyCondition
    /// On its way out, while others are ready.
    case terminating
    /// On its way out and no longer serving.
    case terminatingNotServing
    case phase(Pod.Phase)
    case noPhase
    case noIP
    case otherAddressFamily
    case noPort(name: String)
    case labelMismatch(key: String, wanted: String, found: String?)
    /// `externalTrafficPolicy: Local`: it runs elsewhere.
    case otherNode(found: String?, wanted: String)
    case fullyQualifiedName
    case excludedByLabel
    /// `externalTrafficPolicy: Local`: the node has no ready endpoint of the Service.
    case noLocalEndpoint
  }
}

extension ExcludedEndpoint.Reason: CustomStringConvertible {
  /// What stands after the endpoint's name in a sentence.
  public var description: String {
    switch self {
    case .notReady(let reason): reason.map { "is not Ready (\($0))" } ?? "is not Ready"
    case .noReadyCondition: "has no Ready condition"
    case .terminating: "is terminating"
    case .terminatingNotServing: "is terminating and no longer serving"
    case .phase(let phase): "is in phase \(phase.rawValue)"
    case .noPhase: "has no status.phase"
    case .noIP: "has no IP"
    case .otherAddressFamily: "has no address of the Service's address family"
    case .noPort(let name): name.isEmpty ? "has no such port" : "has no port named \(name)"
    case .labelMismatch(let key, let wanted, let found):
      found.map { "label \(key)=\($0) does not match \(key): \(wanted)" }
        ?? "has no label \(key), wanted \(key): \(wanted)"
    case .otherNode(let found, let wanted):
      "is on \(found.map { "node \($0)" } ?? "an unknown node"), and externalTrafficPolicy is Local to \(wanted)"
    case .fullyQualifiedName: "is a host name (addressType FQDN), which is not supported"
    case .excludedByLabel: "carries the label \(Node.excludeLabel)"
    case .noLocalEndpoint: "has no ready endpoint, and externalTrafficPolicy is Local"
    }
  }
}

extension ExcludedEndpoint: CustomStringConvertible {
  /// `pod web-3 is not Ready`.
  public var description: String { "\(kind.rawValue) \(name) \(reason)" }
}
