extension ClaimTimes {
  /// Deadlines fall on multiples of a second divided by this, so that many claims share a wake-up.
  static let deadlinesPerSecond = 20.0
  /// How long before its lifetime is over an address counts as lapsed: the kernel and the loop read different clocks.
  static let lapseMargin = 0.5

  /// Seconds from one probe to the next.
  var probeDistance: Double { probing / Double(probeCount) }

  /// After how many seconds without a renewal an address counts as lapsed.
  var lapse: Double { Double(lifetime) - Self.lapseMargin }

  /// Two probes of one host within so many seconds are those of a host that takes the address: of one that has
  /// Roadstead's times, not RFC 5227's.
  var takeover: Double { max(1, 1.5 * probeDistance) }

  /// `time`, or up to 50 ms later.
  static func roundedUp(_ time: Double) -> Double {
    // A multiple that arithmetic made a little larger is itself.
    (time * deadlinesPerSecond - 1e-6).rounded(.up) / deadlinesPerSecond
  }
}
