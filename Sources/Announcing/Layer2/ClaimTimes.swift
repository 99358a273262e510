/// The times by which an address is claimed and kept, in seconds.
///
/// RFC 5227, section 1.1, has slower ones for probing; a load balancer's clients are waiting.
struct ClaimTimes: Hashable, Sendable {
  /// The longest ``lifetime``, by which an address is known as one of Roadstead's.
  static let longestLifetime: UInt32 = 8

  /// The lifetime with which the kernel holds an address that is not renewed: from 1 to ``longestLifetime``.
  var lifetime = longestLifetime
  /// From the first probe to the decision; ``probeCount`` probes are spread evenly over it.
  var probing = 0.6
  var probeCount = 3
  /// Between renewals of the lifetime.
  var renewal: Double { Double(lifetime) / 4 }
  /// Between the first advertisements, and how long these go on (MetalLB's times).
  var firstAdvertisements = 1.1
  var firstAdvertisementsEnd = 5.0
  /// Between the later ones.
  var laterAdvertisements = 60.0
  /// Between tries while someone else has the address, or the kernel refuses.
  var retry = 5.0
  /// The least between two defences (RFC 5227: DEFEND_INTERVAL).
  var defence = 10.0
}
