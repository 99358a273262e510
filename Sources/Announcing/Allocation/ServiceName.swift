/// The namespace and name of a Service.
///
/// Ordered by namespace, then by name.
public struct ServiceName: Hashable, Sendable {
  public let namespace: String
  public let name: String

  public init(namespace: String, name: String) {
    self.namespace = namespace
    self.name = name
  }
}

extension ServiceName: Comparable {
  public static func < (a: ServiceName, b: ServiceName) -> Bool {
    a.namespace == b.namespace ? a.name < b.name : a.namespace < b.namespace
  }
}

extension ServiceName: CustomStringConvertible {
  /// `namespace/name`.
  public var description: String { "\(namespace)/\(name)" }
}
