import Balancing

/// The `protocol` of a port. Kubernetes knows one more than the data plane carries.
public enum IPProtocol: String, Hashable, Sendable, CaseIterable {
  case tcp = "TCP"
  case udp = "UDP"
  case sctp = "SCTP"

  /// How the data plane carries it; nil for SCTP, which it does not.
  public var transport: TransportProtocol? {
    switch self {
    case .tcp: .tcp
    case .udp: .udp
    case .sctp: nil
    }
  }
}
