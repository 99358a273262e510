@testable import Kubernetes

/// A process that wants the Lease of a ``SimulatedLeaseWorld``, on a host with a clock of its own.
struct SimulatedCandidate {
  var election: LeaseElection
  /// What its clock shows at second 0, and how many seconds of it go by in one.
  let offset: Double
  let rate: Double
  /// When it, which stands still, goes on; nil while it runs.
  var frozenUntil: Double?
  /// What came meanwhile.
  var inbox: [LeaseElection.Event] = []
  /// The number of the request that is on its way, and when the process gives it up.
  var request: (number: Int, timeout: Double)?

  var identity: String { election.settings.identity }

  /// Its clock at a second of the world.
  func clock(_ now: Double) -> Double { offset + now * rate }

  /// When its clock has surely come to that second, whatever arithmetic makes of it.
  func world(_ clock: Double) -> Double { (clock - offset) / rate + 1e-6 }

  func status(_ now: Double) -> LeaseStatus { election.status(now: clock(now)) }

  func isVerified(_ now: Double) -> Bool {
    if case .holder(_, isVerified: true) = status(now) { true } else { false }
  }

  /// When something is to happen to it without an answer or a watch.
  var next: Double {
    if let frozenUntil { return frozenUntil }
    return min(request?.timeout ?? .infinity, election.deadline.map { world($0) } ?? .infinity)
  }
}
