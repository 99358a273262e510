import Testing

@testable import Kubernetes

@Suite struct ConnectionTrackerTests {
  private let refused = WatchFailure.refused(APIError(code: 0, message: "refused after 3 ms"))

  private func tracker() -> ConnectionTracker {
    ConnectionTracker(kinds: [.service, .node, .ipAddressPool])
  }

  @Test("connected once all core kinds are watched")
  func connects() {
    var tracker = tracker()
    #expect(tracker.connection == .connecting)
    tracker.opened(.service, now: 0)
    #expect(tracker.evaluate(now: 0, unixTime: 100) == false)
    tracker.opened(.node, now: 1)
    #expect(tracker.evaluate(now: 1, unixTime: 101) == true)
    #expect(tracker.connection == .connected(since: 101))
    #expect(tracker.delay(now: 1) == nil)
  }

  @Test("unreachable after more than 2 s of failing, since the first failure, in its words")
  func fails() {
    var tracker = tracker()
    for kind in [ObjectKind.service, .node] { tracker.opened(kind, now: 0) }
    _ = tracker.evaluate(now: 0, unixTime: 100)
    tracker.failed(.ipAddressPool, refused, now: 5, unixTime: 105)
    #expect(tracker.delay(now: 5) == nil)
    tracker.failed(.node, refused, now: 10, unixTime: 110)
    #expect(tracker.evaluate(now: 10, unixTime: 110) == false)
    let delay = tracker.delay(now: 10) ?? 0
    #expect(2.0..<2.1 ~= delay)
    tracker.failed(.node, .refused(APIError(code: 0, message: "refused after 1 ms")), now: 11, unixTime: 111)
    #expect(tracker.evaluate(now: 10 + delay, unixTime: 112) == true)
    #expect(tracker.connection == .unreachable(since: 110, reason: "Node: refused after 3 ms"))
    #expect(tracker.delay(now: 13) == nil)
  }

  @Test("back once the watch has told something, or has lasted a second")
  func recovers() {
    for tells in [true, false] {
      var tracker = tracker()
      tracker.opened(.service, now: 0)
      tracker.failed(.node, refused, now: 0, unixTime: 100)
      #expect(tracker.evaluate(now: 3, unixTime: 103) == true)
      tracker.opened(.node, now: 10)
      #expect(tracker.evaluate(now: 10, unixTime: 110) == false)
      #expect(tracker.delay(now: 10) == 1)
      if tells { tracker.proved(.node) }
      #expect(tracker.evaluate(now: tells ? 10.1 : 11, unixTime: 111) == true)
      #expect(tracker.connection == .connected(since: 111))
    }
  }

  @Test("a watch that is always accepted and always broken stays unreachable")
  func flapping() {
    var tracker = tracker()
    tracker.opened(.service, now: 0)
    tracker.failed(.node, refused, now: 0, unixTime: 100)
    #expect(tracker.evaluate(now: 3, unixTime: 103) == true)
    for time in stride(from: 10.0, to: 100, by: 10) {
      tracker.opened(.node, now: time)
      #expect(tracker.evaluate(now: time, unixTime: 0) == false)
      tracker.failed(.node, refused, now: time + 0.5, unixTime: 0)
      #expect(tracker.evaluate(now: time + 0.5, unixTime: 0) == false)
    }
  }
}
