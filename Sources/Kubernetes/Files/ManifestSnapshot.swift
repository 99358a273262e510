/// All that the manifest files say, at one moment, and what has changed since the moment before.
public struct ManifestSnapshot: Sendable {
  public var store: ObjectStore
  /// In the order of the files, then of the lines.
  public var problems: [ManifestProblem]
  /// In the order of reading: that of the `-f` paths, then of the names.
  public var files: [ManifestFile]
  /// Objects that came, went or are different now.
  public var changes: Set<ObjectReference>
  /// Objects that are as they were, and stand on another line or in another file now.
  public var moved: Set<ObjectReference>
  /// Services whose endpoints may be different now; others need not be resolved again.
  public var affectedServices: Set<NamespacedName>

  public init(
    store: ObjectStore = ObjectStore(), problems: [ManifestProblem] = [], files: [ManifestFile] = [],
    changes: Set<ObjectReference> = [], moved: Set<ObjectReference> = [], affectedServices: Set<NamespacedName> = []
  ) {
    self.store = store
    self.problems = problems
    self.files = files
    self.changes = changes
    self.moved = moved
    self.affectedServices = affectedServices
  }

  /// Whether anything at all was read: `run` starts on this.
  public var hasReadAnything: Bool { files.contains { $0.state != .unreadable } }
}
