extension ObjectKind {
  /// What the API's paths and RBAC call the kind: its plural.
  var resource: String {
    switch self {
    case .service: "services"
    case .pod: "pods"
    case .endpointSlice: "endpointslices"
    case .endpoints: "endpoints"
    case .node: "nodes"
    case .namespace: "namespaces"
    case .ipAddressPool: "ipaddresspools"
    case .l2Advertisement: "l2advertisements"
    }
  }

  /// The path of all objects of the kind, in all namespaces.
  var path: String { group.isEmpty ? "/api/\(apiVersion)/\(resource)" : "/apis/\(apiVersion)/\(resource)" }

  /// Whether every cluster has the kind. Another one is a custom resource, which a cluster may do without.
  var isCore: Bool {
    switch self {
    case .service, .pod, .endpointSlice, .endpoints, .node, .namespace: true
    case .ipAddressPool, .l2Advertisement: false
    }
  }
}
