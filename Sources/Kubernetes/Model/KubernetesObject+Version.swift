extension KubernetesObject {
  /// Whether all that is read of two objects is the same but their resourceVersion.
  func isSame(as other: KubernetesObject) -> Bool {
    var a = self
    var b = other
    a.dropVersion()
    b.dropVersion()
    return a == b
  }

  private mutating func dropVersion() {
    switch self {
    case .service(var object):
      object.metadata.resourceVersion = nil
      self = .service(object)
    case .pod(var object):
      object.metadata.resourceVersion = nil
      self = .pod(object)
    case .endpointSlice(var object):
      object.metadata.resourceVersion = nil
      self = .endpointSlice(object)
    case .endpoints(var object):
      object.metadata.resourceVersion = nil
      self = .endpoints(object)
    case .node(var object):
      object.metadata.resourceVersion = nil
      self = .node(object)
    case .namespace(var object):
      object.metadata.resourceVersion = nil
      self = .namespace(object)
    case .ipAddressPool(var object):
      object.metadata.resourceVersion = nil
      self = .ipAddressPool(object)
    case .l2Advertisement(var object):
      object.metadata.resourceVersion = nil
      self = .l2Advertisement(object)
    }
  }
}
