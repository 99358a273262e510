import Balancing
import Glibc
import Kubernetes
import Logging
import Proxy
import TestKit
import Testing

@testable import roadstead

/// Prints what a planning round costs with 5,000 Services and 50,000 endpoints:
/// `ROADSTEAD_MEASURE=1 swift test -c release -Xswiftc -enable-testing --filter RoundBenchmark`.
@Suite(
  .enabled(if: environment("ROADSTEAD_MEASURE") != nil, "set ROADSTEAD_MEASURE=1, in a release build"), .serialized)
struct RoundBenchmark {
  private static let count = 5000
  private static let shards = 2

  @Test("each stage alone: the first round, and one changed EndpointSlice")
  func stages() async throws {
    try #require(raiseDescriptorLimit(to: 16_000))
    var crowd = try Crowd(services: Self.count)
    var planner = Planner(resolver: EndpointResolver())
    var builder = SnapshotBuilder(
      shardCount: Self.shards, reasonCount: DataPlane.reasonCount, dropCount: DataPlane.dropCount)
    let plane = try DataPlane(shardCount: 1)
    var announcements = AnnouncementPlanner()
    announcements.skipsLoopback = false
    var record = AnnouncementRecord()
    for round in 0..<6 {
      print("round \(round), \(round == 0 ? "the first" : "one changed slice")")
      if round > 0 { measure("  store.insert") { crowd.insertSlice(100 * round, edition: round) } }
      let manifests = crowd.snapshot()
      let (plan, changes) = measure("  plan") { planner.plan(ObjectChanges(manifests), now: Double(round)) }
      let snapshot = measure("  snapshot") {
        for name in changes.services {
          builder.update(name.description, ports: plan.service(name)?.servedPorts ?? [])
        }
        return builder.snapshot
      }
      let start = ContinuousClock.now
      let report = await plane.apply(snapshot)
      print("  apply: \(ContinuousClock.now - start)")
      let decided = measure("  announcements") {
        announcements.plan(
          plan, store: manifests.store, at: .init(served: report, before: record.plan), only: changes.addresses)
      }
      _ = measure("  record") { record.take(decided) }
      _ = measure("  announcements sorted") { decided.announcements }
      let lines = measure("  lines") {
        changes.services.map { plan.service($0).map { ServiceLine.text($0, listening: report.listening) } }
      }
      #expect(lines.count == (round == 0 ? Self.count : 1))
    }
  }

  private func measure<R>(_ what: String, _ body: () -> R) -> R {
    let start = ContinuousClock.now
    let result = body()
    print("\(what): \(ContinuousClock.now - start)")
    return result
  }

  @Test("the controller: the first round, 1,000 changed EndpointSlices, changed Services, the state")
  func rounds() async throws {
    try #require(raiseDescriptorLimit(to: 16_000))
    var crowd = try Crowd(services: Self.count, pool: "127.48.0.1-127.63.255.254")
    let controller = Controller(
      plane: try DataPlane(shardCount: Self.shards), resolver: EndpointResolver(),
      announcementPlanner: AnnouncementPlanner(),
      logger: Logger(label: "benchmark") { _ in LogKeeper(LogKeeper.Lines()) })
    var times = Times("first round")
    let first = crowd.snapshot()
    await times.measure { await controller.apply(.manifests(first)) }
    times.print()
    #expect(await controller.served.listening.count == Self.count)

    times = Times("one changed slice")
    for round in 0..<1000 {
      crowd.insertSlice(round * 7 % Self.count, edition: round + 1)
      let manifests = crowd.snapshot()
      await times.measure { await controller.apply(.manifests(manifests)) }
    }
    times.print()
    try await pace(&crowd, controller)
    times = Times("a slice without endpoints, and back")
    for round in 0..<100 {
      crowd.insertSlice(7, isEmpty: round % 2 == 0)
      let manifests = crowd.snapshot()
      await times.measure { await controller.apply(.manifests(manifests)) }
    }
    times.print()
    times = Times("one Service with another port")
    for round in 0..<100 {
      crowd.insertService(round, port: 9090)
      let manifests = crowd.snapshot()
      await times.measure { await controller.apply(.manifests(manifests)) }
    }
    times.print()
    times = Times("100 changed slices while the state is asked for")
    let asking = Task {
      while !Task.isCancelled { _ = await controller.state(startedAt: 0) }
    }
    for round in 0..<100 {
      crowd.insertSlice(round * 7 % Self.count, edition: round + 50)
      let manifests = crowd.snapshot()
      await times.measure { await controller.apply(.manifests(manifests)) }
    }
    asking.cancel()
    times.print()
    times = Times("the state")
    for _ in 0..<5 { await times.measure { _ = await controller.state(startedAt: 0) } }
    times.print()
    let state = await controller.state(startedAt: 0)
    times = Times("its JSON")
    for _ in 0..<3 { await times.measure { _ = state.json() } }
    times.print()
    print("resident: \(try readFile("/proc/self/status").split(separator: "\n").filter { $0.hasPrefix("VmRSS") })")
  }
}

/// 100 changed slices a second, for ten seconds: from when each is there until all shards serve it.
private func pace(_ crowd: inout Crowd, _ controller: Controller) async throws {
  let (events, send) = AsyncStream<(ManifestSnapshot, ContinuousClock.Instant)>.makeStream()
  let serving = Task {
    var late: [Duration] = []
    for await (manifests, start) in events {
      await controller.apply(.manifests(manifests))
      late.append(ContinuousClock.now - start)
    }
    return late.sorted()
  }
  let start = ContinuousClock.now
  for round in 0..<1000 {
    try await Task.sleep(until: start + .milliseconds(10 * round))
    let now = ContinuousClock.now
    crowd.insertSlice(round * 11 % crowd.store.services.count, edition: round + 7)
    send.yield((crowd.snapshot(), now))
  }
  send.finish()
  let late = await serving.value
  print("100 changed slices a second: median \(late[500]), p99 \(late[990]), most \(late[999])")
}

/// Wall-clock and processor times of the same thing, many times.
private struct Times {
  private let what: String
  private var wall: [Duration] = []
  private var processor: [Duration] = []

  init(_ what: String) { self.what = what }

  mutating func measure(_ body: () async -> Void) async {
    let (start, used) = (ContinuousClock.now, Self.used)
    await body()
    wall.append(ContinuousClock.now - start)
    processor.append(Self.used - used)
  }

  func print() {
    func text(_ times: [Duration]) -> String {
      let times = times.sorted()
      return "median \(times[times.count / 2]), p99 \(times[times.count * 99 / 100]), most \(times[times.count - 1])"
    }
    Swift.print("\(what): \(text(wall)); processor \(text(processor))")
  }

  /// All threads' processor time.
  private static var used: Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
