import Addresses

/// Finds out whether a host that claims a held address is there: it must answer each of several probes.
///
/// Two forged frames, or three, must not take an address from a live load balancer. A host that really has the address
/// answers every probe, for its kernel does; a forger must see the probes and answer each in its own window, and one
/// who can do that can take the traffic without asking.
///
/// Two load balancers that find one another holding the same address, as after a split of the LAN, would both find the
/// other real and both give it up. So the one with the lower link-layer address asks for some windows more, in which
/// the other is gone; a host that is no load balancer is still there then.
struct Verification: Hashable, Sendable {
  enum Verdict: Hashable, Sendable {
    case undecided
    /// The next probe is to be sent.
    case probe
    /// A window was without an answer: there is nobody, or a forger.
    case unconfirmed
    /// Every window had an answer, the last from this host.
    case confirmed(MACAddress)
  }

  /// How many windows the host with the lower link-layer address asks for beyond the other's.
  static let patience = 3

  private let distance: Double
  private let count: Int
  private let own: MACAddress
  private var probes: ProbeSeries
  private var answer: MACAddress?

  /// When it wants to be asked again.
  var next: Double { probes.next }

  /// Probes as many times, and as far apart, as before an address is taken.
  init(_ times: ClaimTimes, own: MACAddress, now: Double) {
    distance = times.probeDistance
    count = times.probeCount
    self.own = own
    probes = ProbeSeries(count: times.probeCount + Self.patience, distance: times.probeDistance, now: now)
  }

  /// Notes an answer in the window that is open; before the first probe there is none.
  mutating func answered(by mac: MACAddress) {
    if probes.sent > 0 { answer = mac }
  }

  /// What is to be done at `now`; `probe` is taken as done.
  mutating func step(now: Double) -> Verdict {
    let windowAnswer = answer
    let finished = probes.sent
    let step = probes.step(now: now)
    switch step {
    case .wait: return .undecided
    case .isLate:
      // What came meanwhile may be unread: that is no verdict either way.
      probes = ProbeSeries(count: probes.count, distance: distance, now: now)
      answer = nil
      return self.step(now: now)
    case .send where finished == 0: return .probe
    case .send, .isOver:
      guard let windowAnswer else { return .unconfirmed }
      if step == .isOver || finished >= count && own > windowAnswer { return .confirmed(windowAnswer) }
      answer = nil
      return .probe
    }
  }
}
