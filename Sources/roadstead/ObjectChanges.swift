import Kubernetes

/// All objects, and which of them are not as they were in the round before: what every source of objects delivers.
struct ObjectChanges: Sendable {
  var store: ObjectStore
  /// Objects that came, went, moved within their file or are different.
  var changes: Set<ObjectReference> = []
  /// Services whose endpoints may be different.
  var affectedServices: Set<NamespacedName> = []
  /// Whether everything is to be looked at, whatever the sets say.
  var isWhole = false

  /// Everything, as if nothing had been known of it.
  init(whole store: ObjectStore) {
    self.store = store
    isWhole = true
  }

  init(_ manifests: ManifestSnapshot) {
    store = manifests.store
    changes = manifests.changes.union(manifests.moved)
    affectedServices = manifests.affectedServices
  }

  init(_ cluster: ClusterSnapshot) {
    store = cluster.store
    changes = cluster.changes
    affectedServices = cluster.affectedServices
  }

  /// Whether an object of one of these kinds is different, or everything is.
  func concern(_ kinds: Set<ObjectKind>) -> Bool { isWhole || changes.contains { kinds.contains($0.kind) } }
}
