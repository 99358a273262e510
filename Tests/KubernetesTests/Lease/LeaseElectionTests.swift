import Testing

@testable import Kubernetes

/// One candidate, `me`, with a clock that is set by hand.
@Suite struct LeaseElectionTests {
  private static let wallTime = MicroTime(microseconds: 1_700_000_000_000_000)
  private static let unavailable = APIError(code: 503, reason: "ServiceUnavailable", message: "no")
  private static let conflict = APIError(code: 409, reason: "Conflict", message: "no")

  private var election = LeaseElection(LeaseSettings(namespace: "ns", name: "lease", identity: "me"))

  private static func record(_ holder: String, version: String = "7", renewed: Int = 0) -> LeaseRecord {
    LeaseRecord(
      holderIdentity: holder, leaseDurationSeconds: 15, acquireTime: MicroTime(microseconds: 5),
      renewTime: MicroTime(microseconds: renewed), leaseTransitions: 3, resourceVersion: version)
  }

  private mutating func hand(_ event: LeaseElection.Event, at now: Double) -> LeaseElection.Request? {
    election.handle(event, now: now, wallTime: Self.wallTime)
  }

  /// Makes it the holder at second 0, by a Lease of version 8.
  private mutating func hold() {
    _ = hand(.tick, at: 0)
    _ = hand(.read(Self.record("", version: "7")), at: 0)
    _ = hand(.written(Self.record("me", version: "8")), at: 0)
  }

  @Test mutating func `a Lease that is not there is created`() {
    #expect(election.status(now: 0) == .unknown)
    #expect(hand(.tick, at: 0) == .get)
    #expect(
      hand(.read(nil), at: 0)
        == .create(
          LeaseRecord(
            holderIdentity: "me", leaseDurationSeconds: 15, acquireTime: Self.wallTime, renewTime: Self.wallTime)))
    #expect(election.status(now: 0) == .standby(holder: nil))
    #expect(hand(.written(Self.record("me")), at: 0.1) == nil)
    #expect(election.status(now: 0.1) == .holder(since: 1_700_000_000, isVerified: true))
  }

  @Test mutating func `another's Lease is taken once it is seen unchanged for its duration, by its version`() {
    _ = hand(.tick, at: 0)
    #expect(hand(.read(Self.record("other")), at: 1) == nil)
    for second in stride(from: 3.0, to: 16, by: 2) {
      #expect(election.deadline == second)
      #expect(hand(.tick, at: second) == .get)
      // A label is no renewal.
      #expect(hand(.read(Self.record("other", version: "8")), at: second) == nil)
      #expect(election.status(now: second) == .standby(holder: "other"))
    }
    #expect(election.deadline == 16)
    #expect(hand(.tick, at: 16) == .get)
    var taken = Self.record("me", version: "8")
    taken.acquireTime = Self.wallTime
    taken.renewTime = Self.wallTime
    taken.leaseTransitions = 4
    #expect(hand(.read(Self.record("other", version: "8")), at: 16) == .update(taken))
    #expect(hand(.failed(Self.conflict), at: 16) == .get)
    #expect(hand(.read(Self.record("third", version: "9")), at: 16) == nil)
    #expect(election.status(now: 16) == .standby(holder: "third"))
  }

  @Test mutating func `a renewal keeps the time of acquisition, and is told from the one before`() {
    hold()
    #expect(election.deadline == 2)
    var renewed = Self.record("me", version: "8")
    renewed.renewTime = Self.wallTime
    #expect(hand(.tick, at: 2) == .update(renewed))
    #expect(hand(.written(renewed), at: 2) == nil)
    renewed.renewTime = MicroTime(microseconds: Self.wallTime.microseconds + 1)
    #expect(hand(.tick, at: 4) == .update(renewed))
  }

  @Test mutating func `a holder that cannot renew stays holder, unverified after the renew deadline`() {
    hold()
    #expect(hand(.tick, at: 2) != nil)
    #expect(hand(.failed(Self.unavailable), at: 2) == nil)
    #expect(hand(.tick, at: 4) == .get)
    #expect(election.deadline == 10)
    #expect(election.status(now: 9.9) == .holder(since: 1_700_000_000, isVerified: true))
    #expect(election.status(now: 10) == .holder(since: 1_700_000_000, isVerified: false))
    #expect(hand(.failed(Self.unavailable), at: 300) == nil)
    #expect(hand(.tick, at: 302) == .get)
    guard case .update? = hand(.read(Self.record("me", version: "8")), at: 302) else {
      Issue.record("it does not renew")
      return
    }
    #expect(election.status(now: 302) == .holder(since: 1_700_000_000, isVerified: false))
    #expect(hand(.written(Self.record("me", version: "9")), at: 302) == nil)
    #expect(election.status(now: 302) == .holder(since: 1_700_000_000, isVerified: true))
  }

  @Test mutating func `a holder that stood still reads before it believes, and gives way to another`() {
    hold()
    // Also where an answer from before is what it learns first.
    _ = hand(.tick, at: 2)
    #expect(hand(.written(Self.record("me", version: "9")), at: 22) == .get)
    #expect(election.status(now: 22) == .holder(since: 1_700_000_000, isVerified: false))
    #expect(hand(.read(Self.record("other", version: "10")), at: 22) == nil)
    #expect(election.status(now: 22) == .standby(holder: "other"))
  }

  @Test mutating func `what a watch shows is read, not believed`() {
    hold()
    #expect(hand(.watched(Self.record("me", version: "9")), at: 1) == nil)
    #expect(hand(.watched(Self.record("other", version: "6")), at: 1) == .get)
    #expect(election.status(now: 1) == .holder(since: 1_700_000_000, isVerified: true))
    #expect(hand(.read(Self.record("me", version: "8")), at: 1) == nil)
    #expect(election.deadline == 2)
  }

  @Test mutating func `a watch that tells while a request is on its way is heeded after it`() {
    _ = hand(.tick, at: 0)
    #expect(hand(.read(Self.record("other")), at: 0) == nil)
    #expect(hand(.tick, at: 2) == .get)
    #expect(hand(.watched(Self.record("", version: "9")), at: 2) == nil)
    #expect(hand(.read(Self.record("other", version: "8")), at: 2.1) == .get)
    guard case .update? = hand(.read(Self.record("", version: "9")), at: 2.2) else {
      Issue.record("it does not take the Lease")
      return
    }
  }

  @Test mutating func `a Lease that is deleted is its holder's: it creates it at once, others wait`() {
    hold()
    guard case .get? = hand(.watched(nil), at: 1), case .create? = hand(.read(nil), at: 1) else {
      Issue.record("it does not create the Lease")
      return
    }
    #expect(election.status(now: 1) == .holder(since: 1_700_000_000, isVerified: false))

    var other = LeaseElectionTests()
    _ = other.hand(.tick, at: 0)
    _ = other.hand(.read(Self.record("another")), at: 0)
    #expect(other.hand(.watched(nil), at: 1) == .get)
    #expect(other.hand(.read(nil), at: 1) == nil)
    #expect(other.election.status(now: 1) == .standby(holder: nil))
    _ = other.hand(.tick, at: 8)
    #expect(other.hand(.read(nil), at: 8) == nil)
    _ = other.hand(.tick, at: 15)
    guard case .create? = other.hand(.read(nil), at: 15) else {
      Issue.record("it does not create the Lease in the end")
      return
    }
  }

  @Test mutating func `a holder that releases the Lease writes that nobody has it, for one second`() {
    hold()
    var nobodys = Self.record("", version: "8", renewed: Self.wallTime.microseconds)
    nobodys.acquireTime = Self.wallTime
    nobodys.leaseDurationSeconds = 1
    #expect(hand(.release, at: 1) == .update(nobodys))
    // The next holder may be verified before the answer comes.
    #expect(election.status(now: 1) == .holder(since: 1_700_000_000, isVerified: false))
    #expect(hand(.written(nobodys), at: 1.1) == nil)
    #expect(election.state == .released)
    #expect(election.status(now: 1.1) == .standby(holder: nil))
    #expect(election.deadline == nil)
    #expect(hand(.watched(nobodys), at: 2) == nil)
  }

  @Test mutating func `a stand-by that releases gives back what a write may get it yet`() {
    _ = hand(.tick, at: 0)
    _ = hand(.read(Self.record("")), at: 0)
    #expect(hand(.release, at: 0) == nil)
    #expect(hand(.failed(APIError(code: 0, message: "no answer")), at: 0.5) == nil)
    #expect(hand(.tick, at: 0.6) == .get)
    guard case .update(let nobodys)? = hand(.read(Self.record("me", version: "9")), at: 0.6) else {
      Issue.record("it does not give the Lease back")
      return
    }
    #expect(nobodys.holderIdentity.isEmpty && nobodys.resourceVersion == "9")

    var idle = LeaseElectionTests()
    _ = idle.hand(.tick, at: 0)
    _ = idle.hand(.read(Self.record("other")), at: 0)
    #expect(idle.hand(.release, at: 1) == nil)
    #expect(idle.election.state == .released)
  }

  @Test mutating func `an outage gives the holder its whole duration anew`() {
    _ = hand(.tick, at: 0)
    _ = hand(.read(Self.record("other")), at: 0)
    _ = hand(.tick, at: 2)
    #expect(hand(.failed(Self.unavailable), at: 2) == nil)
    _ = hand(.tick, at: 60)
    #expect(hand(.read(Self.record("other")), at: 60) == nil)
    #expect(election.status(now: 60) == .standby(holder: "other"))
    _ = hand(.tick, at: 74.9)
    #expect(hand(.read(Self.record("other")), at: 74.9) == nil)
  }

  @Test mutating func `refusals do not follow one another without a pause, and a server's wish is heeded in part`() {
    hold()
    _ = hand(.tick, at: 2)
    #expect(hand(.failed(Self.conflict), at: 2) == .get)
    #expect(hand(.read(Self.record("me", version: "9")), at: 2) != nil)
    #expect(hand(.failed(Self.conflict), at: 2) == nil)
    #expect(election.deadline == 4)
    _ = hand(.tick, at: 4)
    let busy = APIError(code: 429, reason: "TooManyRequests", message: "busy", retryAfter: 60)
    #expect(hand(.failed(busy), at: 4) == nil)
    #expect(election.deadline == 9)
  }
}
