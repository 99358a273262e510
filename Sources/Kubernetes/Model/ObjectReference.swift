/// Which object is meant: its kind, namespace and name.
public struct ObjectReference: Hashable, Sendable {
  public let kind: ObjectKind
  public let name: NamespacedName

  public init(_ kind: ObjectKind, _ name: NamespacedName) {
    self.kind = kind
    self.name = name
  }
}

extension ObjectReference: Comparable {
  public static func < (a: ObjectReference, b: ObjectReference) -> Bool {
    a.kind == b.kind ? a.name < b.name : a.kind < b.kind
  }
}

extension ObjectReference: CustomStringConvertible {
  /// As `kubectl` says it: `Service/web`, or `Service/shop/web` outside of the default namespace.
  public var description: String {
    name.namespace == NamespacedName.defaultNamespace ? "\(kind.rawValue)/\(name.name)" : "\(kind.rawValue)/\(name)"
  }
}
