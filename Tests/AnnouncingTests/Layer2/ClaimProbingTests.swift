import Addresses
import Testing

@testable import Announcing

@Suite struct ClaimProbingTests {
  @Test func `an address is probed three times in 0.6 s, then put and advertised`() {
    var bench = ClaimBench()
    #expect(bench.claim.deadline == nil)
    #expect(bench.hand(.start(adopting: false)) == [.sendProbe])
    #expect(bench.claim.status == .probing)
    bench.run(until: 0.6)
    #expect(bench.times(of: .sendProbe) == [0, 20, 40])
    #expect(bench.done.filter { $0.at == 60 }.map(\.action) == [.put, .advertise, .changed])
    #expect(bench.claim.status == .announced(since: ClaimBench.epoch))
    #expect(bench.claim.counters.probes == 3)
  }

  @Test func `what an earlier process left is held at once`() {
    var bench = ClaimBench()
    #expect(bench.hand(.start(adopting: true)) == [.put, .advertise, .changed])
    #expect(bench.claim.isHeld)
    #expect(bench.claim.counters.probes == 0)
  }

  @Test(arguments: [Sighting.Kind.claim, .answer])
  func `an address that someone has is waited for, and asked for anew after 4.5 to 5 s`(_ kind: Sighting.Kind) {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    bench.run(until: 0.3)
    #expect(bench.see(kind) == [.changed])
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.higher)))
    #expect(bench.claim.counters.conflicts == 1)
    let retry = bench.claim.deadline ?? 0
    #expect((4.8...5.35).contains(retry))
    bench.forget()
    bench.run(until: retry)
    #expect(bench.done.map(\.action) == [.sendProbe])
    bench.run(until: retry + 1)
    #expect(bench.claim.isHeld)
  }

  @Test func `an address that stays in use is said to be so once`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    bench.see(.answer)
    bench.forget()
    for _ in 0..<5 {
      bench.run(until: bench.claim.deadline ?? 0)
      bench.see(.answer)
      #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.higher)))
    }
    #expect(bench.times(of: .changed) == [])
    bench.run(until: bench.claim.deadline ?? 0)
    bench.see(.answer, by: ClaimBench.lower)
    #expect(bench.times(of: .changed).count == 1)
    #expect(bench.claim.counters.conflicts == 7)
  }

  @Test func `of two that probe the lower link-layer address goes on`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    #expect(bench.see(.probe, by: ClaimBench.higher) == [])
    bench.run(until: 0.2)
    #expect(bench.claim.status == .probing)
    #expect(bench.see(.probe, by: ClaimBench.lower) == [.changed])
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.lower)))
    #expect(bench.claim.counters.conflicts == 0)
  }

  @Test func `a probe that lay unread while the loop stood still does not count`() {
    var bench = ClaimBench.held()
    bench.stall(until: 9)
    #expect(bench.see(.probe, by: ClaimBench.lower) == [.remove, .sendProbe, .changed])
    #expect(bench.see(.probe, by: ClaimBench.lower) == [])
    bench.run(until: 9.05)
    #expect(bench.see(.probe, by: ClaimBench.lower) == [.changed])
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.lower)))
  }

  @Test func `a loop that came too late to have listened probes anew`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    bench.run(until: 0.4)
    bench.stall(until: 0.71)
    #expect(bench.hand(.due) == [.sendProbe])
    #expect(bench.claim.status == .probing)
    bench.forget()
    bench.run(until: 2)
    #expect(bench.times(of: .sendProbe) == [95, 115])
    #expect(bench.times(of: .put) == [135])
  }

  @Test func `a loop that is a little late goes on`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    bench.run(until: 0.4)
    bench.stall(until: 0.69)
    #expect(bench.hand(.due) == [.put, .advertise, .changed])
  }

  @Test func `a probe that cannot be sent is tried again, and is not counted`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    #expect(bench.hand(.probeFailed(ClaimBench.refusal)) == [.changed])
    #expect(bench.claim.status == .waiting(ClaimBench.refusal))
    #expect(bench.claim.counters == AnnouncementStatus.Counters())
    bench.run(until: 7)
    #expect(bench.claim.isHeld)
    #expect(bench.claim.counters.probes == 3)
  }

  @Test func `a put that fails is tried again by probing, and nothing is counted that was not done`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    bench.run(until: 0.6)
    #expect(bench.hand(.putFailed(ClaimBench.refusal)) == [.remove, .changed])
    #expect(bench.claim.status == .waiting(ClaimBench.refusal))
    #expect(bench.claim.counters.gratuitous == 0)
    bench.forget()
    // It fails again: the owner, who did not come to the action that tells of a change, is told of none.
    bench.run(until: (bench.claim.deadline ?? 0) + 0.65)
    #expect(bench.claim.isHeld)
    #expect(bench.hand(.putFailed(ClaimBench.refusal)) == [.remove])
    #expect(bench.claim.counters.probes == 6)
  }

  @Test func `probing starts over with another link-layer address`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: false))
    bench.run(until: 0.55)
    #expect(bench.hand(.linkLayerAddressChanged(ClaimBench.lower)) == [.sendProbe])
    bench.run(until: 1.1)
    #expect(bench.claim.status == .probing)
    bench.run(until: 1.15)
    #expect(bench.claim.isHeld)
  }

  @Test func `what is not started or has ended does nothing`() {
    let events: [AddressClaim.Event] = [
      .due, .sighted(.claim, by: ClaimBench.higher), .sighted(.probe, by: ClaimBench.lower), .dropped,
      .putFailed(ClaimBench.refusal), .probeFailed(ClaimBench.refusal),
      .linkLayerAddressChanged(ClaimBench.lower),
    ]
    var idle = ClaimBench()
    for event in events { #expect(idle.hand(event) == []) }
    for end in [AddressClaim.Event.withdraw, .linkLost(ClaimBench.refusal)] {
      var bench = ClaimBench.held()
      #expect(bench.hand(end) == [.remove, .changed])
      for event in events + [.start(adopting: true), .withdraw, .linkLost(ClaimBench.refusal)] {
        #expect(bench.hand(event) == [])
      }
      #expect(bench.claim.deadline == nil)
    }
  }

  @Test func `what is not held is withdrawn without a removal`() {
    var probing = ClaimBench()
    probing.hand(.start(adopting: false))
    #expect(probing.hand(.withdraw) == [.changed])
    #expect(probing.claim.status == .withdrawn)
    var waiting = ClaimBench()
    waiting.hand(.start(adopting: false))
    waiting.see(.claim)
    let obstacle = AnnouncementObstacle.unusableInterface("eth0", .hasNoCarrier)
    #expect(waiting.hand(.linkLost(obstacle)) == [.changed])
    #expect(waiting.claim.status == .waiting(obstacle))
  }

  @Test func `deadlines fall on multiples of 50 ms, never before what was wanted`() {
    for (time, deadline) in [(0.0, 0.0), (0.001, 0.05), (0.05, 0.05), (0.6, 0.6), (0.2 * 3, 0.6), (7.151, 7.2)] {
      #expect(abs(ClaimTimes.roundedUp(time) - deadline) < 1e-9)
    }
    var bench = ClaimBench()
    bench.stall(until: 1000.013)
    bench.hand(.start(adopting: false))
    bench.run(until: 1002)
    #expect(bench.times(of: .sendProbe) == [100001, 100025, 100045])
    #expect(bench.times(of: .put) == [100065])
  }
}
