/// What a Lease (coordination.k8s.io/v1) says of its holder, and the version of the object that said it.
struct LeaseRecord: Hashable, Sendable {
  /// Empty: nobody holds it.
  var holderIdentity = ""
  /// How long others wait after a renewal before they take it; nil where nothing useful is written.
  var leaseDurationSeconds: Int?
  var acquireTime: MicroTime?
  var renewTime: MicroTime?
  /// How often it went to another holder.
  var leaseTransitions = 0
  /// Of the object; empty for one that is still to be created.
  var resourceVersion = ""

  /// Whether the two say the same: a label that somebody sets is another version, and no renewal.
  func says(_ other: LeaseRecord) -> Bool {
    var other = other
    other.resourceVersion = resourceVersion
    return self == other
  }
}
