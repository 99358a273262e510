/// Who holds the Lease, as this process knows it.
public enum LeaseStatus: Hashable, Sendable {
  /// Nothing is known yet.
  case unknown
  /// Another instance holds it; nil: nobody does for the moment.
  case standby(holder: String?)
  /// This one holds it, since that second of Unix time. `isVerified`: the last renewal is younger than the Lease's
  /// duration; when it is not, the API server is away, and nobody else can have taken the Lease there either.
  case holder(since: Int, isVerified: Bool)

  /// Whether this instance allocates, announces and writes.
  public var isHolder: Bool { if case .holder = self { true } else { false } }
}
