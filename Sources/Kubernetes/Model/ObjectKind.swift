/// A kind of object that is read.
///
/// Kubernetes' own kinds, and MetalLB's (metallb.io/v1beta1), whose users keep their manifests.
public enum ObjectKind: String, Hashable, Sendable, CaseIterable, Comparable {
  case service = "Service"
  case pod = "Pod"
  case endpointSlice = "EndpointSlice"
  case endpoints = "Endpoints"
  case node = "Node"
  case namespace = "Namespace"
  case ipAddressPool = "IPAddressPool"
  case l2Advertisement = "L2Advertisement"

  /// The only API version that is read, as a manifest's `apiVersion` says it.
  public var apiVersion: String {
    switch self {
    case .service, .pod, .endpoints, .node, .namespace: "v1"
    case .endpointSlice: "discovery.k8s.io/v1"
    case .ipAddressPool, .l2Advertisement: "metallb.io/v1beta1"
    }
  }

  /// The API group: the part of ``apiVersion`` before the slash, empty for Kubernetes' core.
  public var group: String { Self.group(of: apiVersion) }

  /// Whether objects of this kind live in a namespace.
  public var isNamespaced: Bool {
    switch self {
    case .node, .namespace: false
    case .service, .pod, .endpointSlice, .endpoints, .ipAddressPool, .l2Advertisement: true
    }
  }

  static func group(of apiVersion: String) -> String {
    guard let slash = apiVersion.firstIndex(of: "/") else { return "" }
    return String(apiVersion[..<slash])
  }

  public static func < (a: ObjectKind, b: ObjectKind) -> Bool { a.rawValue < b.rawValue }
}
