import Balancing
import Testing

@testable import Kubernetes

@Suite struct ReflectorStateTests {
  private let first = ReflectorState.Action.list(path: "/api/v1/services?limit=500", isFirst: true)

  private func state(_ kind: ObjectKind = .service) -> ReflectorState {
    ReflectorState(kind: kind, random: RandomSource(seed: 7))
  }

  /// A state whose watch from `version` has been asked for.
  private func watching(from version: String = "5") -> ReflectorState {
    var state = state()
    _ = state.next()
    _ = state.listed(version: version, continuation: nil)
    _ = state.next()
    return state
  }

  private func isWatch(_ action: ReflectorState.Action, from version: String) -> Bool {
    guard case .watch(let path) = action else { return false }
    return path.withoutTime
      == "/api/v1/services?watch=1&allowWatchBookmarks=true&resourceVersion=\(version)"
  }

  private func seconds(_ action: ReflectorState.Action) -> Double? {
    if case .wait(let seconds) = action { seconds } else { nil }
  }

  private func refusal(_ code: Int, retryAfter: Double? = nil, reason: String = "") -> WatchFailure {
    .refused(APIError(code: code, reason: reason, message: "no", retryAfter: retryAfter))
  }

  @Test("a list's pages are asked for one after another, then a watch from the first page's version")
  func pages() {
    var state = state()
    #expect(state.next() == first)
    #expect(state.listed(version: "5", continuation: "a/b+c") == nil)
    #expect(state.next() == .list(path: "/api/v1/services?limit=500&continue=a%2Fb%2Bc", isFirst: false))
    #expect(state.listed(version: "8", continuation: nil) == nil)
    let watch = state.next()
    #expect(isWatch(watch, from: "5"))
    guard case .watch(let path) = watch, let time = path.split(separator: "=").last.flatMap({ Int($0) }) else {
      Issue.record("no time")
      return
    }
    #expect(300...600 ~= time)
  }

  @Test("every kind has its path", arguments: ObjectKind.allCases)
  func paths(kind: ObjectKind) {
    let expected: [ObjectKind: String] = [
      .service: "/api/v1/services", .pod: "/api/v1/pods", .endpoints: "/api/v1/endpoints", .node: "/api/v1/nodes",
      .namespace: "/api/v1/namespaces", .endpointSlice: "/apis/discovery.k8s.io/v1/endpointslices",
      .ipAddressPool: "/apis/metallb.io/v1beta1/ipaddresspools",
      .l2Advertisement: "/apis/metallb.io/v1beta1/l2advertisements",
    ]
    var state = state(kind)
    #expect(state.next() == .list(path: "\(expected[kind] ?? "")?limit=500", isFirst: true))
  }

  @Test("a page's token that expired leads to a list in one page, at once")
  func expiredToken() {
    var state = state()
    _ = state.next()
    _ = state.listed(version: "5", continuation: "x")
    _ = state.next()
    state.listFailed(refusal(410))
    #expect(state.next() == .list(path: "/api/v1/services", isFirst: true))
    _ = state.listed(version: "9", continuation: nil)
    #expect(isWatch(state.next(), from: "9"))
    state.watchRefused(refusal(500))
    #expect(seconds(state.next()) != nil)
    #expect(state.next() == first)
  }

  @Test("a list whose next page is itself is a failure")
  func endlessList() {
    var state = state()
    _ = state.next()
    #expect(state.listed(version: "5", continuation: "x") == nil)
    _ = state.next()
    #expect(state.listed(version: "5", continuation: "x") != nil)
    #expect(seconds(state.next()) != nil)
    #expect(state.next() == first)
  }

  @Test("the back-off goes from 1 s to 30 s, exactly as the seed says, and begins anew after a watch that worked")
  func backOff() {
    func sequence(_ state: inout ReflectorState) -> [Double] {
      (0..<8).map { _ in
        _ = state.next()
        state.listFailed(refusal(500))
        return seconds(state.next()) ?? -1
      }
    }
    var state = state()
    let delays = sequence(&state)
    for (delay, base) in zip(delays, [1.0, 2, 4, 8, 16, 20, 20, 20]) { #expect((base..<base * 1.5).contains(delay)) }
    var random = RandomSource(seed: 7)
    #expect(delays == [1.0, 2, 4, 8, 16, 20, 20, 20].map { $0 * Double.random(in: 1..<1.5, using: &random) })
    _ = state.next()
    _ = state.listed(version: "5", continuation: nil)
    _ = state.next()
    state.watchEnded(.ended, lasted: 400)
    _ = state.next()
    state.watchRefused(refusal(0))
    #expect((1.0..<1.5).contains(seconds(state.next()) ?? -1))
  }

  @Test("Retry-After is waited for, where it is longer")
  func retryAfter() {
    var state = state()
    _ = state.next()
    state.listFailed(refusal(429, retryAfter: 17))
    #expect(seconds(state.next()) == 17)
    _ = state.next()
    state.listFailed(refusal(429, retryAfter: 0))
    #expect((2.0..<3).contains(seconds(state.next()) ?? -1))
  }

  @Test("a watch that ended is asked for again at once, from the last version")
  func ended() {
    var state = watching()
    state.progressed(to: "7")
    #expect(state.watchEnded(.ended, lasted: 0.1) == true)
    #expect(isWatch(state.next(), from: "7"))
    #expect(state.watchEnded(.ended, lasted: 300) == true)
    #expect(isWatch(state.next(), from: "7"))
    #expect(state.watchEnded(.ended, lasted: 0.1) == false)
    #expect((1.0..<1.5).contains(seconds(state.next()) ?? -1))
    #expect(isWatch(state.next(), from: "7"))
  }

  @Test("a version that is gone leads to a list at once, the second time in a row after a back-off")
  func gone() {
    var state = watching()
    state.watchRefused(refusal(410))
    #expect(state.next() == first)
    _ = state.listed(version: "6", continuation: nil)
    #expect(isWatch(state.next(), from: "6"))
    state.watchEnded(.failed(refusal(410)), lasted: 0.01)
    #expect(seconds(state.next()) != nil)
    #expect(state.next() == first)
  }

  @Test("out of reach, or too busy: watch again from the same version; all else: list anew")
  func refusals() {
    for failure in [refusal(0), refusal(429)] {
      var state = watching()
      state.watchRefused(failure)
      #expect(seconds(state.next()) != nil)
      #expect(isWatch(state.next(), from: "5"))
    }
    for failure in [refusal(0, reason: "Timeout"), refusal(500), refusal(403), refusal(404), refusal(302)] {
      var state = watching()
      state.watchRefused(failure)
      #expect(seconds(state.next()) != nil)
      #expect(state.next() == first)
    }
    for failure in [refusal(500), .malformed("x")] {
      var state = watching()
      state.watchEnded(.failed(failure), lasted: 5)
      #expect(seconds(state.next()) != nil)
      #expect(state.next() == first)
    }
    var state = watching()
    state.watchEnded(.failed(refusal(429)), lasted: 5)
    #expect(seconds(state.next()) != nil)
    #expect(isWatch(state.next(), from: "5"))
  }

  @Test("a custom resource that the cluster does not know is asked for every 30 s, a core kind by back-off")
  func absent() {
    var pools = state(.ipAddressPool)
    for _ in 0..<3 {
      _ = pools.next()
      #expect(pools.isAbsence(refusal(404)))
      pools.listFailed(refusal(404))
      #expect(seconds(pools.next()) == 30)
    }
    var services = state()
    _ = services.next()
    #expect(!services.isAbsence(refusal(404)))
    services.listFailed(refusal(404))
    #expect((1.0..<1.5).contains(seconds(services.next()) ?? -1))
  }
}
