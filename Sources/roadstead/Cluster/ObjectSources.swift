import Kubernetes

/// What files and the API server say, put together: an object that both have is the file's.
///
/// With an API server nothing counts before every kind was listed once and the files, where there are any, were read:
/// half of it would take addresses from Services, or give them to the wrong ones.
struct ObjectSources: Sendable {
  private(set) var manifests: ManifestSnapshot?
  private(set) var cluster: ClusterSnapshot?
  /// Whether there is an API server to wait for, and whether there are files.
  let awaitsCluster: Bool
  let awaitsFiles: Bool
  private var hasBegun = false

  init(awaitsCluster: Bool, awaitsFiles: Bool = false) {
    self.awaitsCluster = awaitsCluster
    self.awaitsFiles = awaitsFiles
  }

  /// Whether all sources have said what they have.
  var isComplete: Bool { !awaitsCluster || hasBegun }

  /// What is still to come, for `/readyz`; nil once everything is there.
  var missing: String? {
    if isComplete { return nil }
    if cluster?.isSynced != true { return "the API server has not told everything yet" }
    if awaitsFiles, manifests?.hasReadAnything != true { return "no manifest has been read" }
    return "no IPAddressPool is known, and Services have addresses, which they keep until then"
  }

  /// What is wrong with objects, of files and then of the cluster.
  var problems: [ManifestProblem] { (manifests?.problems ?? []) + (cluster?.problems ?? []) }

  /// What is different with these files; nil while it is too early for anything.
  mutating func take(_ manifests: ManifestSnapshot) -> ObjectChanges? {
    self.manifests = manifests
    return merged(ObjectChanges(manifests))
  }

  /// What is different with this state of the cluster; nil while it is too early, and where nothing is.
  mutating func take(_ cluster: ClusterSnapshot) -> ObjectChanges? {
    self.cluster = cluster
    // Of connections alone nothing follows.
    guard cluster.isSynced, !cluster.changes.isEmpty || !hasBegun else { return nil }
    return merged(ObjectChanges(cluster))
  }

  private mutating func merged(_ changes: ObjectChanges) -> ObjectChanges? {
    let fromFiles = manifests?.store ?? ObjectStore()
    guard awaitsCluster else { return changes }
    guard let cluster, cluster.isSynced else { return nil }
    let store = cluster.store.overlaid(with: fromFiles)
    guard hasBegun else {
      guard !awaitsFiles || manifests?.hasReadAnything == true, Self.mayBegin(store) else { return nil }
      hasBegun = true
      return ObjectChanges(whole: store)
    }
    var changes = changes
    changes.store = store
    return changes
  }

  /// Without any pool all addresses would be taken back; an API server that has just started may not know its pools yet.
  private static func mayBegin(_ store: ObjectStore) -> Bool {
    !store.ipAddressPools.isEmpty || !store.services.values.contains { !$0.object.status.ingress.isEmpty }
  }
}
