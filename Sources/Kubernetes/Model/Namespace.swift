/// A Namespace (core/v1): its labels choose pools (`serviceAllocation.namespaceSelectors`).
public struct Namespace: Hashable, Sendable {
  public var metadata: ObjectMeta

  public init(metadata: ObjectMeta) { self.metadata = metadata }
}
