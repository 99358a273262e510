import TestKit
import Testing

@testable import Kubernetes

/// `ROADSTEAD_SEED=` replays: it is the seed of the first world.
@Suite struct LeaseSimulationTests {
  private static let settings = LeaseSettings(namespace: "", name: "", identity: "")
  /// Until a dead holder is replaced while the server is up and quiet, by the slowest clock.
  private static let longestVacancy =
    (settings.duration + 2 * settings.retryPeriod + 1) / SimulatedLeaseWorld.rates.lowerBound

  @Test func `whatever happens, no two hold the Lease and are verified, and soon one does`() {
    let seed = testSeed()
    var seen: [String: Int] = [:]
    for number in 0..<80 {
      var world = SimulatedLeaseWorld(seed: seed &+ UInt64(number))
      for _ in 0..<6 where world.wrong.isEmpty {
        world.longestDelay = world.random.pick([0.05, 1, 6])
        world.lostAnswers = world.random.pick([0, 5, 40])
        world.lateRequests = world.random.pick([0, 3, 15])
        for _ in 0..<Int.random(in: 1...25, using: &world.random) where world.wrong.isEmpty { Self.disturb(&world) }
        Self.settle(&world)
      }
      seen.merge(world.seen, uniquingKeysWith: +)
      if !world.wrong.isEmpty { return Self.fail(world, world.wrong[0], seed &+ UInt64(number)) }
    }
    // A world in which nothing happens proves nothing.
    for what in ["conflict", "doubt", "late request", "loss", "lost answer", "release", "take-over", "timeout"] {
      #expect(seen[what, default: 0] > 0, "no \(what) with ROADSTEAD_SEED=\(seed)")
    }
    print(seen.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
  }

  @Test func `a holder that dies is replaced, one that releases the Lease within a second`() {
    let seed = testSeed()
    var longest = (death: 0.0, release: 0.0)
    for number in 0..<80 {
      var world = Self.quiet(seed &+ UInt64(number))
      for _ in 0..<5 where world.wrong.isEmpty {
        guard let holder = world.verified else {
          return Self.fail(world, "nobody holds the Lease", seed &+ UInt64(number))
        }
        let isDeath = world.random.chance(50)
        if isDeath { world.kill(holder) } else { world.release(holder) }
        let start = world.now
        let bound = isDeath ? Self.longestVacancy : 1
        world.run(until: start + bound) { world in world.verified.map { $0 != holder } ?? false }
        if world.verified == nil || world.verified == holder {
          return Self.fail(world, "nobody took the Lease in \(bound) s", seed &+ UInt64(number))
        }
        let taken = world.now - start
        if isDeath { longest.death = max(longest.death, taken) } else { longest.release = max(longest.release, taken) }
        if !isDeath { world.kill(holder) }
        world.start(holder)
        world.run(until: world.now + Double.random(in: 0...20, using: &world.random))
      }
      if !world.wrong.isEmpty { return Self.fail(world, world.wrong[0], seed &+ UInt64(number)) }
    }
    print("a death took \(longest.death) s at most, a release \(longest.release) s")
  }

  @Test func `the server's outages alone move nothing`() {
    let seed = testSeed()
    for number in 0..<80 {
      var world = Self.quiet(seed &+ UInt64(number))
      let holder = world.verified
      for _ in 0..<Int.random(in: 1...6, using: &world.random) {
        world.set(world.random.chance(50) ? .refuses : .hangs)
        world.run(until: world.now + world.random.pick([0.1, 1, 3, 8, 14, 16, 30, 120]))
        // As it comes back, or so it seems, not all goes well.
        world.longestDelay = world.random.pick([0.05, 1, 3])
        world.set(.isUp)
        world.run(until: world.now + world.random.pick([0, 0.5, 2, 5, 10, 40]))
      }
      world.longestDelay = 0.05
      world.run(until: world.now + 20)
      if holder == nil || world.verified != holder || world.record?.leaseTransitions != 0 {
        return Self.fail(world, "the Lease has moved", seed &+ UInt64(number))
      }
      if !world.wrong.isEmpty { return Self.fail(world, world.wrong[0], seed &+ UInt64(number)) }
    }
  }

  private static func fail(_ world: SimulatedLeaseWorld, _ what: String, _ seed: UInt64) {
    Issue.record("ROADSTEAD_SEED=\(seed): \(what)\n\(world.trace.joined(separator: "\n"))")
  }

  /// A world in which all run and one holds the Lease.
  private static func quiet(_ seed: UInt64) -> SimulatedLeaseWorld {
    var world = SimulatedLeaseWorld(seed: seed)
    for place in world.candidates.indices {
      world.start(place)
      world.run(until: world.now + Double.random(in: 0...3, using: &world.random))
    }
    world.run(until: world.now + 1)
    return world
  }

  private static func disturb(_ world: inout SimulatedLeaseWorld) {
    // Most of what matters happens to who has the Lease.
    let place =
      world.random.chance(50)
      ? world.verified ?? 0 : Int.random(in: world.candidates.indices, using: &world.random)
    switch Int.random(in: 0..<100, using: &world.random) {
    case 0..<30: world.start(place)
    case 30..<36: world.kill(place)
    case 36..<56: world.freeze(place, for: world.random.pick([0.5, 3, 9, 10.5, 14, 16, 20, 40]))
    case 56..<64: world.release(place)
    case 64..<68: world.thaw(place)
    case 68..<76: world.set(.refuses)
    case 76..<84: world.set(.hangs)
    default: world.set(.isUp)
    }
    world.run(until: world.now + world.random.pick([0, 0.1, 1, 2, 5, 10, 16, 30]))
  }

  /// Ends what was begun. As soon as what is late has come, one holds the Lease.
  private static func settle(_ world: inout SimulatedLeaseWorld) {
    world.longestDelay = 0.05
    world.lostAnswers = 0
    world.lateRequests = 0
    world.set(.isUp)
    for place in world.candidates.indices {
      world.thaw(place)
      if world.candidates[place]?.election.isReleasing == true { world.kill(place) }
      world.start(place)
    }
    // The latest of late requests may be a death's last renewal.
    world.run(until: world.now + 30 + longestVacancy)
    guard world.wrong.isEmpty, world.verified == nil else { return }
    fail(world, "nobody holds the Lease", 0)
  }
}
