extension ObjectStore {
  /// This store with all objects of `other` in it, which take the places of those of the same kind and name.
  public func overlaid(with other: ObjectStore) -> ObjectStore {
    guard other.count > 0 else { return self }
    var merged = self
    for stored in other.services.values { merged.insert(.service(stored.object), source: stored.source) }
    for stored in other.pods.values { merged.insert(.pod(stored.object), source: stored.source) }
    for stored in other.endpointSlices.values { merged.insert(.endpointSlice(stored.object), source: stored.source) }
    for stored in other.endpoints.values { merged.insert(.endpoints(stored.object), source: stored.source) }
    for stored in other.nodes.values { merged.insert(.node(stored.object), source: stored.source) }
    for stored in other.namespaces.values { merged.insert(.namespace(stored.object), source: stored.source) }
    for stored in other.ipAddressPools.values { merged.insert(.ipAddressPool(stored.object), source: stored.source) }
    for stored in other.l2Advertisements.values {
      merged.insert(.l2Advertisement(stored.object), source: stored.source)
    }
    return merged
  }
}
