/// A namespace and a name: what tells objects of one kind apart.
public struct NamespacedName: Hashable, Sendable {
  /// Empty for objects that live in no namespace.
  public let namespace: String
  public let name: String

  /// The namespace of objects that name none.
  public static let defaultNamespace = "default"

  public init(namespace: String = Self.defaultNamespace, name: String) {
    self.namespace = namespace
    self.name = name
  }
}

extension NamespacedName: Comparable {
  public static func < (a: NamespacedName, b: NamespacedName) -> Bool {
    a.namespace == b.namespace ? a.name < b.name : a.namespace < b.namespace
  }
}

extension NamespacedName: CustomStringConvertible {
  /// `namespace/name`, or the name alone outside of namespaces.
  public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}
