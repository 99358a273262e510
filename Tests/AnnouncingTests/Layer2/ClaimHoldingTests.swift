import Addresses
import Testing

@testable import Announcing

@Suite struct ClaimHoldingTests {
  @Test func `a held address is renewed every 2 s`() {
    let bench = ClaimBench.held(for: 10)
    #expect(bench.claim.counters.renewals == 5)
  }

  @Test func `it is advertised five times in 5 s, then each minute`() {
    var bench = ClaimBench()
    bench.hand(.start(adopting: true))
    bench.run(until: 130)
    #expect(bench.times(of: .advertise) == [0, 110, 220, 330, 440, 6440, 12440])
    // Two frames each: an ARP request and a reply.
    #expect(bench.claim.counters.gratuitous == 14)
    #expect(ClaimBench.held("2001:db8::9", for: 5).claim.counters.gratuitous == 5)
  }

  @Test func `a loop that was late advertises once, not as often as it missed`() {
    var bench = ClaimBench.held()
    bench.stall(until: 3)
    #expect(bench.hand(.due) == [.put, .advertise])
    #expect(bench.hand(.due) == [])
    bench.run(until: 6)
    #expect(bench.times(of: .advertise) == [300, 330, 440])
  }

  @Test func `it is advertised anew when the link-layer address is another`() {
    var bench = ClaimBench.held(for: 20)
    #expect(bench.hand(.linkLayerAddressChanged(ClaimBench.lower)).contains(.advertise))
    bench.run(until: 30)
    #expect(bench.times(of: .advertise) == [2000, 2110, 2220, 2330, 2440])
  }

  @Test func `a loop that stood still past the lifetime does not renew blindly`() {
    var bench = ClaimBench.held(for: 10)
    bench.stall(until: 17.5)
    #expect(bench.hand(.due) == [.remove, .sendProbe, .changed])
    #expect(bench.claim.status == .probing)
    bench.run(until: 18.2)
    #expect(bench.claim.status == .announced(since: ClaimBench.epoch + 18))
  }

  @Test func `a loop that stood still for less goes on`() {
    var bench = ClaimBench.held(for: 10)
    bench.stall(until: 17.4)
    #expect(bench.hand(.due).first == .put)
    #expect(bench.claim.isHeld)
  }

  @Test func `whatever it learns first after standing still, it knows that the address is gone`() {
    var bench = ClaimBench.held()
    bench.stall(until: 20)
    // No defence of what another may rightly have taken.
    #expect(bench.see(.claim) == [.remove, .sendProbe, .changed])
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.higher)))
  }

  @Test func `an address that was taken away is asked for again at once`() {
    var bench = ClaimBench.held(for: 1)
    #expect(bench.hand(.dropped) == [.remove, .sendProbe, .changed])
    #expect(bench.claim.status == .probing)
    bench.run(until: 1.6)
    #expect(bench.claim.isHeld)
  }

  @Test func `a renewal that fails gives the address up and is not counted`() {
    var bench = ClaimBench.held(for: 1)
    bench.run(until: 2)
    #expect(bench.claim.counters.renewals == 1)
    #expect(bench.hand(.putFailed(ClaimBench.refusal)) == [.remove, .changed])
    #expect(bench.claim.counters.renewals == 0)
  }

  // MARK: - Conflicts

  @Test func `a claim is answered at most every 10 s and looked into at most every 5 s`() {
    var bench = ClaimBench.held(for: 9)
    #expect(bench.see(.claim) == [.advertise, .sendProbe, .changed])
    for _ in 0..<50 {
      bench.run(until: bench.now + 0.25)
      bench.see(.claim)
    }
    #expect(bench.times(of: .advertise) == [900, 1900])
    // Nobody answers the first probe: there is no second.
    #expect(bench.times(of: .sendProbe) == [900, 1400, 1900])
    #expect(bench.claim.isHeld)
    #expect(bench.claim.counters.conflicts == 51)
  }

  @Test func `a claim that comes too soon after another is answered when that is due`() {
    var bench = ClaimBench.held(for: 9)
    #expect(bench.see(.claim).contains(.advertise))
    bench.run(until: 11)
    #expect(!bench.see(.claim).contains(.advertise))
    bench.run(until: 40)
    #expect(bench.times(of: .advertise) == [900, 1900])
  }

  @Test func `a host that answers each of three probes is real, and is given way to`() {
    var bench = ClaimBench.held(mac: ClaimBench.higher, for: 9)
    bench.see(.claim, by: ClaimBench.own)
    bench.run(until: 9.6, answers: [9.05, 9.25, 9.45], by: ClaimBench.own)
    #expect(bench.times(of: .sendProbe) == [900, 920, 940])
    #expect(bench.done.suffix(2).map(\.action) == [.remove, .changed])
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.own)))
  }

  @Test(arguments: [[], [9.05], [9.05, 9.25], [9.05, 9.06, 9.07], [9.25, 9.45], [9.05, 9.45], [9.0]])
  func `answers that leave a window out take nothing away`(_ answers: [Double]) {
    var bench = ClaimBench.held(mac: ClaimBench.higher, for: 9)
    bench.see(.claim, by: ClaimBench.own)
    bench.run(until: 12, answers: answers, by: ClaimBench.own)
    #expect(bench.claim.isHeld)
    #expect(bench.times(of: .remove) == [])
  }

  @Test func `the lower link-layer address asks longer, so that of two load balancers one stays`() {
    let six = [9.05, 9.25, 9.45, 9.65, 9.85, 10.05]
    var stays = ClaimBench.held(mac: ClaimBench.lower, for: 9)
    stays.see(.claim, by: ClaimBench.own)
    stays.run(until: 12, answers: Array(six.prefix(5)), by: ClaimBench.own)
    #expect(stays.claim.isHeld)
    var yields = ClaimBench.held(mac: ClaimBench.lower, for: 9)
    yields.see(.claim, by: ClaimBench.own)
    yields.run(until: 12, answers: six, by: ClaimBench.own)
    #expect(yields.times(of: .remove) == [1020])
  }

  @Test func `a loop that was too late to have listened looks into it anew`() {
    var bench = ClaimBench.held(mac: ClaimBench.higher, for: 9)
    bench.see(.claim, by: ClaimBench.own)
    bench.run(until: 9.5, answers: [9.05, 9.25, 9.45], by: ClaimBench.own)
    bench.stall(until: 9.75)
    #expect(bench.hand(.due) == [.sendProbe])
    bench.run(until: 11, answers: [9.8, 10, 10.2], by: ClaimBench.own)
    #expect(bench.times(of: .remove) == [1035])
  }

  @Test func `a claim that comes too early to be looked into is looked into later`() {
    var bench = ClaimBench.held(mac: ClaimBench.higher, for: 9)
    bench.see(.claim, by: ClaimBench.own)
    bench.run(until: 10)
    bench.see(.claim, by: ClaimBench.own)
    bench.forget()
    bench.run(until: 15, answers: [14.05, 14.25, 14.45], by: ClaimBench.own)
    #expect(bench.times(of: .sendProbe) == [1400, 1420, 1440])
    #expect(bench.claim.status == .waiting(.addressInUse(by: ClaimBench.own)))
  }

  @Test func `another's probe is the kernel's to answer`() {
    var bench = ClaimBench.held(for: 9)
    #expect(bench.see(.probe, by: ClaimBench.lower) == [])
    #expect(bench.claim.counters.conflicts == 0)
  }

  @Test func `who cannot ask does not yield`() {
    var bench = ClaimBench.held(for: 9)
    bench.see(.claim)
    #expect(bench.hand(.probeFailed(ClaimBench.refusal)) == [])
    #expect(bench.claim.isHeld)
    #expect(bench.claim.counters.probes == 0)
  }
}
