/// All that the API server says, at one moment, and what has changed since the snapshot before.
public struct ClusterSnapshot: Sendable {
  /// How things stand with the API server.
  public enum Connection: Hashable, Sendable {
    case connecting
    /// All watches run, since that second of Unix time.
    case connected(since: Int)
    /// The last known state serves on; since that second of Unix time, and why.
    case unreachable(since: Int, reason: String)
  }

  public var store: ObjectStore
  /// Objects that the server accepted and that cannot be used, as it is with a manifest's; the file is empty.
  public var problems: [ManifestProblem]
  /// Whether each kind was listed once. Before that nothing may be allocated.
  public var isSynced: Bool
  public var connection: Connection
  /// Objects that came, went or are different now; none before the first full list, then all. A new resourceVersion
  /// alone makes no difference.
  public var changes: Set<ObjectReference>
  /// Services whose endpoints may be different now.
  public var affectedServices: Set<NamespacedName>
  /// What is missing to be complete, for people, as `IPAddressPool: the cluster does not know metallb.io/v1beta1`.
  public var notes: [String]

  public init(
    store: ObjectStore = ObjectStore(), problems: [ManifestProblem] = [], isSynced: Bool = false,
    connection: Connection = .connecting, changes: Set<ObjectReference> = [],
    affectedServices: Set<NamespacedName> = [], notes: [String] = []
  ) {
    self.store = store
    self.problems = problems
    self.isSynced = isSynced
    self.connection = connection
    self.changes = changes
    self.affectedServices = affectedServices
    self.notes = notes
  }
}
