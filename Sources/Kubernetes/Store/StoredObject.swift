/// An object, and where it came from. Immutable, so that copies of a store share it.
public final class StoredObject<Object: Hashable & Sendable>: Sendable {
  public let object: Object
  public let source: ObjectSource

  public init(_ object: Object, source: ObjectSource) {
    self.object = object
    self.source = source
  }
}
