import Addresses
import Testing

@testable import Announcing

/// What a claim does otherwise where a Lease says whose the address is.
@Suite struct ClaimTenureTests {
  // MARK: - Fenced

  @Test func `who has the Lease does not yield to a host that answers each probe, and says that it is there`() {
    var bench = ClaimBench.held(mac: ClaimBench.higher, tenure: .fenced, for: 9)
    bench.see(.claim, by: ClaimBench.own)
    #expect(bench.times(of: .advertise) == [900])
    bench.run(until: 9.7, answers: [9.05, 9.25, 9.45], by: ClaimBench.own)
    #expect(bench.claim.isHeld)
    #expect(bench.times(of: .remove) == [])
    #expect(bench.claim.rival == ClaimBench.own)
    #expect(bench.times(of: .changed) == [900, 960])
    #expect(bench.claim.counters.conflicts == 4)
    // Asked again after the time between tries, whether or not it is heard of; then it is gone.
    bench.run(until: 20)
    #expect(bench.times(of: .sendProbe) == [900, 920, 940, 1400])
    #expect(bench.claim.rival == nil)
    #expect(bench.times(of: .changed) == [900, 960, 1420, 1900])
  }

  @Test func `who gets the Lease asks at once for an address that it waits for`() {
    var bench = ClaimBench(tenure: .unverified)
    bench.hand(.start(adopting: false))
    bench.see(.answer)
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.higher)))
    #expect(bench.hand(.tenure(.fenced)) == [.sendProbe])
    bench.run(until: 1)
    #expect(bench.claim.isHeld)
  }

  @Test func `who has the Lease goes on probing where another has the address, and takes it once that is gone`() {
    var bench = ClaimBench(mac: ClaimBench.higher, tenure: .fenced)
    bench.hand(.start(adopting: false))
    // The second probe tells the other, which answers no more.
    bench.run(until: 0.6, answers: [0.05, 0.22], by: ClaimBench.own)
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.own)))
    #expect(bench.times(of: .sendProbe) == [0, 20, 40, 60])
    bench.run(until: 1.2)
    #expect(bench.times(of: .put) == [120])
    #expect(bench.claim.isHeld)
  }

  @Test func `a host that answers each probe is waited for, Lease or not`() {
    var bench = ClaimBench(tenure: .fenced)
    bench.hand(.start(adopting: false))
    bench.run(until: 4, answers: [0.05, 0.25, 0.45])
    #expect(bench.times(of: .sendProbe) == [0, 20, 40])
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.higher)))
    bench.run(until: 7)
    #expect(bench.claim.isHeld)
  }

  @Test func `who has the Lease heeds no other's probes`() {
    var bench = ClaimBench(tenure: .fenced)
    bench.hand(.start(adopting: false))
    for time in [0.1, 0.3, 0.5] {
      bench.run(until: time)
      #expect(bench.see(.probe, by: ClaimBench.lower) == [])
    }
    bench.run(until: 0.6)
    #expect(bench.claim.isHeld)
    bench.see(.probe, by: ClaimBench.lower)
    #expect(bench.see(.probe, by: ClaimBench.lower) == [])
  }

  // MARK: - Unverified

  @Test(arguments: [Tenure.alone, .fenced, .unverified])
  func `two probes of one host within a second take the address from who cannot ask whose it is`(_ tenure: Tenure) {
    var bench = ClaimBench.held(tenure: .fenced, for: 9)
    bench.hand(.tenure(tenure))
    bench.see(.probe)
    bench.run(until: 9.2)
    #expect(bench.see(.probe) == (tenure == .unverified ? [.remove, .changed] : []))
    #expect(bench.claim.isHeld == (tenure != .unverified))
  }

  @Test func `one probe takes nothing, nor two of two hosts, nor two that are further apart`() {
    var bench = ClaimBench.held(tenure: .unverified, for: 8)
    bench.see(.probe)
    #expect(bench.see(.probe, by: ClaimBench.lower) == [])
    bench.run(until: 9.1)
    #expect(bench.see(.probe, by: ClaimBench.lower) == [])
    #expect(bench.claim.isHeld)
  }

  @Test func `where probes are further apart, so may be the two`() {
    var times = ClaimTimes()
    times.probing = 6
    var bench = ClaimBench.held(tenure: .unverified, times: times, for: 9)
    bench.see(.probe)
    bench.run(until: 11)
    #expect(bench.see(.probe) == [.remove, .changed])
  }

  @Test func `while it probes, it leaves the address to a host that goes on probing, whatever its link-layer address`()
  {
    var bench = ClaimBench(tenure: .unverified)
    bench.hand(.start(adopting: false))
    bench.run(until: 0.35)
    bench.see(.probe)
    #expect(bench.claim.status == .probing)
    bench.run(until: 0.45)
    bench.see(.probe)
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.higher)))
  }

  @Test func `of two that cannot ask and look into each other, the lower link-layer address stays`() {
    for (mac, stays) in [(ClaimBench.lower, true), (ClaimBench.higher, false)] {
      var bench = ClaimBench.held(mac: mac, tenure: .unverified, for: 9)
      bench.see(.claim, by: ClaimBench.own)
      bench.see(.probe, by: ClaimBench.own)
      bench.run(until: 9.1)
      bench.see(.probe, by: ClaimBench.own)
      #expect(bench.claim.isHeld == stays)
    }
  }

  @Test func `who no longer knows whether it has the Lease looks into its rival anew, and yields`() {
    var bench = ClaimBench.held(mac: ClaimBench.higher, tenure: .fenced, for: 9)
    bench.see(.claim, by: ClaimBench.own)
    bench.run(until: 10, answers: [9.05, 9.25, 9.45], by: ClaimBench.own)
    bench.hand(.tenure(.unverified))
    #expect(bench.claim.rival == nil)
    bench.run(until: 15, answers: [14.05, 14.25, 14.45], by: ClaimBench.own)
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.own)))
  }

  // MARK: - Lifetime

  @Test func `a shorter lifetime is renewed as often in it, and lapses as much earlier`() {
    var times = ClaimTimes()
    times.lifetime = 4
    var bench = ClaimBench.held(times: times, for: 10)
    #expect(bench.claim.counters.renewals == 10)
    bench.stall(until: 13.5)
    #expect(bench.hand(.due) == [.remove, .sendProbe, .changed])
  }
}
