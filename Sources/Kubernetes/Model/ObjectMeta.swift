/// What every object says of itself (`metadata`).
public struct ObjectMeta: Hashable, Sendable {
  public var name: String
  /// `default` where a namespaced object names none; empty for kinds without namespaces.
  public var namespace: String
  public var labels: [String: String]
  public var annotations: [String: String]
  /// The API server's identity for the object; nil in most files.
  public var uid: String?
  /// The API server's version of the object; opaque.
  public var resourceVersion: String?
  /// When the object was made, RFC 3339.
  public var creationTimestamp: String?
  /// Set once the object is being deleted, RFC 3339.
  public var deletionTimestamp: String?

  public init(
    name: String, namespace: String = NamespacedName.defaultNamespace, labels: [String: String] = [:],
    annotations: [String: String] = [:], uid: String? = nil, resourceVersion: String? = nil,
    creationTimestamp: String? = nil, deletionTimestamp: String? = nil
  ) {
    self.name = name
    self.namespace = namespace
    self.labels = labels
    self.annotations = annotations
    self.uid = uid
    self.resourceVersion = resourceVersion
    self.creationTimestamp = creationTimestamp
    self.deletionTimestamp = deletionTimestamp
  }

  /// Namespace and name.
  public var namespacedName: NamespacedName { NamespacedName(namespace: namespace, name: name) }

  /// Whether the object is on its way out.
  public var isTerminating: Bool { deletionTimestamp != nil }
}

extension ObjectMeta {
  static let fieldNames = FieldNames(
    """
    annotations clusterName creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers generateName \
    generation labels managedFields name namespace ownerReferences resourceVersion selfLink uid
    """)

  /// Name and namespace were checked when the document was opened; see ``ObjectReading``.
  init(_ fields: FieldReader, name: NamespacedName) {
    self.init(
      name: name.name, namespace: name.namespace, labels: fields.stringMap("labels"),
      annotations: fields.stringMap("annotations"), uid: fields.string("uid"),
      resourceVersion: fields.string("resourceVersion"), creationTimestamp: fields.string("creationTimestamp"),
      deletionTimestamp: fields.string("deletionTimestamp"))
  }
}
