import Addresses
import Announcing
import Glibc
import Testing

/// Prints how long the allocator takes: `ROADSTEAD_MEASURE=1 swift test -c release --filter SpeedTests`.
@Suite(
  .enabled(if: unsafe getenv("ROADSTEAD_MEASURE") != nil, "set ROADSTEAD_MEASURE=1, in a release build"), .serialized)
struct SpeedTests {
  private func measure<T>(_ what: String, atMost limit: Duration, _ body: () throws -> T) rethrows -> T {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    let taken = clock.now - start
    print("allocator speed: \(what): \(taken) (at most \(limit))")
    #expect(taken < limit, "\(what)")
    return result
  }

  private func services(_ count: Int, _ make: (Int, inout AddressRequest) -> Void = { _, _ in }) -> [AddressRequest] {
    (0..<count).map { index in
      var request = service("ns\(index % 50)/service-\(index)", labels: ["app": "a\(index)", "tier": "t\(index % 7)"])
      make(index, &request)
      return request
    }
  }

  @Test func `10,000 services over 20 pools`() throws {
    let pools = (0..<20).map { pool("pool-\($0)", "10.\($0).0.0/22", "fd00:\($0)::/64") }
    let limit = Duration.seconds(1)
    let plain = services(10_000)
    var allocator = Allocator()
    _ = measure("10,000 services, 20 pools", atMost: limit) {
      allocator.converge(pools: pools, requests: plain, now: 0)
    }
    #expect(allocator.assignments.count == 10_000)
    let assigned = allocator.assignments
    _ = measure("the same again, nothing changed", atMost: limit) {
      allocator.converge(pools: pools, requests: plain, now: 1)
    }
    var restarted = Allocator()
    let known = plain.map { request in
      var request = request
      request.current = assigned[request.id]?.map(\.address) ?? []
      return request
    }
    _ = measure("the same after a restart", atMost: limit) {
      restarted.converge(pools: pools, requests: known, now: 0)
    }
    #expect(restarted.assignments == assigned)
    let others = (0..<20).map { pool("pool-\($0)", "11.\($0).0.0/22") }
    var moving = allocator
    _ = measure("all of them moved to other pools", atMost: limit) {
      moving.converge(pools: others, requests: plain, now: 1)
    }
    #expect(moving.assignments.count == 10_000)
    _ = measure("all of them gone", atMost: limit) { allocator.converge(changed: [], removed: plain.map(\.id), now: 2) }
    _ = measure("their rest over", atMost: limit) { allocator.converge(changed: [], now: 100) }

    let mixed = services(10_000) { index, request in
      if index % 3 == 0 { (request.families, request.familyPolicy) = ([.v4, .v6], .preferDualStack) }
      if index % 5 == 0 { request.requestedPool = "pool-\(index % 20)" }
      if index % 7 == 0 { request.sharingKey = "key-\(index % 100)" }
      if index % 7 == 0 { request.ports = [AddressRequest.Port(.tcp, UInt16(1000 + index))] }
    }
    var other = Allocator()
    _ = measure("10,000 mixed services", atMost: limit) { other.converge(pools: pools, requests: mixed, now: 0) }
    let oneKey = services(10_000) { index, request in
      request.sharingKey = "key"
      request.ports = [AddressRequest.Port(.tcp, UInt16(1 + index % 10))]
    }
    var sharing = Allocator()
    _ = measure("10,000 services with one key and ten ports", atMost: .seconds(5)) {
      sharing.converge(pools: pools, requests: oneKey, now: 0)
    }
    let tooMany = services(30_000)
    var full = Allocator()
    _ = measure("30,000 services for 20,480 addresses", atMost: .seconds(3)) {
      full.converge(pools: pools, requests: tooMany, now: 0)
    }
    _ = measure("one of them goes while 9,520 wait", atMost: .milliseconds(500)) {
      full.converge(changed: [], removed: [tooMany[3].id], now: 1)
    }
  }

  @Test func `one change to a pool of 65,536 addresses`() throws {
    let limit = Duration.milliseconds(10)
    let big = pool("big", "10.0.0.0/16")
    var allocator = Allocator()
    let all = services(65_535)
    _ = measure("65,535 services", atMost: .seconds(6)) { allocator.converge(pools: [big], requests: all, now: 0) }
    _ = measure("one more service", atMost: limit) { allocator.converge(changed: [service("late")], now: 1) }
    _ = measure("one service less", atMost: limit) { allocator.converge(changed: [], removed: [named("late")], now: 1) }
    _ = measure("one service changed", atMost: limit) {
      var request = all[777]
      request.ports = [AddressRequest.Port(.tcp, 81)]
      return allocator.converge(changed: [request], now: 1)
    }
    _ = measure("the pool one address smaller", atMost: limit) {
      allocator.converge(pools: [pool("big", "10.0.0.1-10.0.255.255")], now: 2)
    }
    _ = measure("the pool 65,536 addresses larger", atMost: limit) {
      allocator.converge(pools: [pool("big", "10.0.0.0/15")], now: 3)
    }
    _ = measure("the pool avoids .0 and .255", atMost: .milliseconds(100)) {
      allocator.converge(pools: [pool("big", "10.0.0.0/15", avoidBuggyIPs: true)], now: 4)
    }
    _ = measure("the pool has another name", atMost: .seconds(1)) {
      allocator.converge(pools: [pool("other", "10.0.0.0/15")], now: 5)
    }
    _ = measure("every second service goes", atMost: .seconds(1)) {
      allocator.converge(changed: [], removed: all.indices.filter { $0 % 2 == 0 }.map { all[$0].id }, now: 6)
    }
    _ = measure("their rest is over: 32,768 holes", atMost: .seconds(1)) { allocator.converge(changed: [], now: 100) }
    _ = measure("a service among the holes", atMost: limit) { allocator.converge(changed: [service("late")], now: 101) }
    _ = measure("a service that asks for an address among the holes", atMost: limit) {
      allocator.converge(changed: [service("asks", asks: "10.0.128.9")], now: 101)
    }
    #expect(allocator.brokenInvariants() == [])
  }

  @Test func `the store of 10,000 services`() throws {
    let directory = try TemporaryDirectory()
    let assignments = Dictionary(
      uniqueKeysWithValues: services(10_000).enumerated().map { index, request in
        (request.id, [AddressAssignment(IPAddress(v4: UInt32(index)), pool: "pool-\(index % 20)")])
      })
    do {
      let store = try AllocationStore(directory: directory.path)
      try measure("saving 10,000 services", atMost: .seconds(1)) { try store.save(assignments) }
    }
    let store = try measure("reading 10,000 services", atMost: .seconds(1)) {
      try AllocationStore(directory: directory.path)
    }
    #expect(store.restored == assignments)
  }
}
