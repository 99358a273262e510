/// An object of any kind that is read.
public enum KubernetesObject: Hashable, Sendable {
  case service(Service)
  case pod(Pod)
  case endpointSlice(EndpointSlice)
  case endpoints(Endpoints)
  case node(Node)
  case namespace(Namespace)
  case ipAddressPool(IPAddressPool)
  case l2Advertisement(L2Advertisement)

  public var metadata: ObjectMeta {
    switch self {
    case .service(let object): object.metadata
    case .pod(let object): object.metadata
    case .endpointSlice(let object): object.metadata
    case .endpoints(let object): object.metadata
    case .node(let object): object.metadata
    case .namespace(let object): object.metadata
    case .ipAddressPool(let object): object.metadata
    case .l2Advertisement(let object): object.metadata
    }
  }

  public var kind: ObjectKind {
    switch self {
    case .service: .service
    case .pod: .pod
    case .endpointSlice: .endpointSlice
    case .endpoints: .endpoints
    case .node: .node
    case .namespace: .namespace
    case .ipAddressPool: .ipAddressPool
    case .l2Advertisement: .l2Advertisement
    }
  }

  public var reference: ObjectReference { ObjectReference(kind, metadata.namespacedName) }
}

extension KubernetesObject {
  /// Reads the object of `kind`; what is wrong with it goes to the reader's list of problems.
  init(_ kind: ObjectKind, _ fields: FieldReader, metadata: ObjectMeta) {
    switch kind {
    case .service: self = .service(Service(fields, metadata: metadata))
    case .pod: self = .pod(Pod(fields, metadata: metadata))
    case .endpointSlice: self = .endpointSlice(EndpointSlice(fields, metadata: metadata))
    case .endpoints: self = .endpoints(Endpoints(fields, metadata: metadata))
    case .node: self = .node(Node(fields, metadata: metadata))
    case .namespace: self = .namespace(Namespace(metadata: metadata))
    case .ipAddressPool: self = .ipAddressPool(IPAddressPool(fields, metadata: metadata))
    case .l2Advertisement: self = .l2Advertisement(L2Advertisement(fields, metadata: metadata))
    }
  }

  static func fieldNames(of kind: ObjectKind) -> FieldNames {
    switch kind {
    case .endpointSlice: EndpointSlice.fieldNames
    case .endpoints: Endpoints.fieldNames
    case .service, .pod, .node, .namespace, .ipAddressPool, .l2Advertisement: FieldNames.object
    }
  }
}
