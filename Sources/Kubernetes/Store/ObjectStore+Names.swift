extension ObjectStore {
  /// The names of all objects of a kind.
  func names(of kind: ObjectKind) -> [NamespacedName] {
    switch kind {
    case .service: Array(services.keys)
    case .pod: Array(pods.keys)
    case .endpointSlice: Array(endpointSlices.keys)
    case .endpoints: Array(endpoints.keys)
    case .node: Array(nodes.keys)
    case .namespace: Array(namespaces.keys)
    case .ipAddressPool: Array(ipAddressPools.keys)
    case .l2Advertisement: Array(l2Advertisements.keys)
    }
  }
}
