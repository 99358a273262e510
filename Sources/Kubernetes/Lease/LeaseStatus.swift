/// Who holds the Lease, as this process knows it.
public enum LeaseStatus: Hashable, Sendable {
  /// Nothing is known yet.
  case unknown
  /// Another instance holds it; nil: nobody does for the moment.
  case standby(holder: String?)
  /// This one holds it, since that second of Unix time.
  ///
  /// `isVerified`: the last renewal is younger than ``LeaseSettings/renewDeadline``, and nobody can have taken the Lease.
  /// When it is not, the API server is away, or away from here, and for all that is known nobody has.
  case holder(since: Int, isVerified: Bool)

  /// Whether this instance allocates, announces and writes.
  public var isHolder: Bool { if case .holder = self { true } else { false } }
}
