import Kubernetes

/// What files and the API server say, put together: an object that both have is the file's.
///
/// From the API server nothing counts before every kind was listed once: half a list would give addresses to the wrong
/// Services.
struct ObjectSources: Sendable {
  private(set) var manifests: ManifestSnapshot?
  private(set) var cluster: ClusterSnapshot?
  /// Whether there is an API server to wait for.
  let awaitsCluster: Bool
  private var hasMerged = false

  init(awaitsCluster: Bool) { self.awaitsCluster = awaitsCluster }

  /// Whether all sources have said what they have.
  var isComplete: Bool { !awaitsCluster || cluster?.isSynced == true }

  /// What is wrong with objects, of files and then of the cluster.
  var problems: [ManifestProblem] { (manifests?.problems ?? []) + (cluster?.problems ?? []) }

  /// What is different with these files; nil while it is too early for anything.
  mutating func take(_ manifests: ManifestSnapshot) -> ObjectChanges? {
    self.manifests = manifests
    return merged(ObjectChanges(manifests))
  }

  /// What is different with this state of the cluster; nil while it is too early, and where nothing is.
  mutating func take(_ cluster: ClusterSnapshot) -> ObjectChanges? {
    // Of connections alone nothing follows.
    let isNews = cluster.isSynced && (!cluster.changes.isEmpty || !hasMerged)
    self.cluster = cluster
    return isNews ? merged(ObjectChanges(cluster)) : nil
  }

  private mutating func merged(_ changes: ObjectChanges) -> ObjectChanges? {
    guard isComplete else { return nil }
    let fromFiles = manifests?.store ?? ObjectStore()
    let store = cluster?.store.overlaid(with: fromFiles) ?? fromFiles
    guard hasMerged || !awaitsCluster else {
      hasMerged = true
      return ObjectChanges(whole: store)
    }
    hasMerged = true
    var changes = changes
    changes.store = store
    return changes
  }
}
