/// The object behind an endpoint's address (`targetRef`), most often a Pod.
public struct TargetReference: Hashable, Sendable {
  public var kind: String
  public var namespace: String?
  public var name: String

  public init(kind: String, namespace: String? = nil, name: String) {
    self.kind = kind
    self.namespace = namespace
    self.name = name
  }
}

extension TargetReference {
  static let fieldNames = FieldNames("apiVersion fieldPath kind name namespace resourceVersion uid")

  init(_ fields: FieldReader) {
    self.init(
      kind: fields.string("kind") ?? "", namespace: fields.string("namespace"), name: fields.string("name") ?? "")
  }
}
