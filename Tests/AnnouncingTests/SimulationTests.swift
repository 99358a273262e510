import Announcing
import Glibc
import Testing

/// `ROADSTEAD_SEED=` replays: it is the seed of the first world. `ROADSTEAD_STEPS=` is how many steps are made in all.
@Suite struct SimulationTests {
  @Test func `no address is given twice, lost, outside its pool or moved without cause`() {
    let seed = Self.number("ROADSTEAD_SEED") ?? UInt64.random(in: 0...UInt64.max)
    let steps = Int(Self.number("ROADSTEAD_STEPS") ?? 1500)
    print("allocator simulation: ROADSTEAD_SEED=\(seed) ROADSTEAD_STEPS=\(steps)")
    // A simulation that hangs must have told its seed.
    fflush(nil)
    var done = 0
    var world: UInt64 = 0
    while done < steps {
      let worldSeed = seed &+ world
      // By the seed, so that the failing world alone can be replayed.
      let isLarge = worldSeed % 512 == 0
      let length = min(steps - done, isLarge ? 40 : 250)
      if let failure = Self.run(worldSeed, isLarge: isLarge, steps: length) {
        Issue.record("ROADSTEAD_SEED=\(worldSeed) ROADSTEAD_STEPS=\(failure.step + 1): \(failure.text)")
        return
      }
      done += length
      world += 1
    }
  }

  @Test func `thousands of services are as safe as a few`() {
    let seed: UInt64 = 512
    if let failure = Self.run(seed, isLarge: true, steps: 3) {
      Issue.record("ROADSTEAD_SEED=\(seed) ROADSTEAD_STEPS=\(failure.step + 1): \(failure.text)")
    }
  }

  private static func number(_ name: String) -> UInt64? {
    guard let text = unsafe getenv(name) else { return nil }
    return UInt64(unsafe String(cString: text))
  }

  /// Makes `steps` steps in a world of its own; returns the first one that went wrong.
  private static func run(_ seed: UInt64, isLarge: Bool, steps: Int) -> (step: Int, text: String)? {
    var cluster = SimulatedCluster(seed: seed, isLarge: isLarge)
    var oracle = SimulationOracle()
    var allocator = Allocator()
    // Told everything each time where the other is told what changed, and must come to the same.
    var twin: Allocator? = seed % 4 == 0 ? Allocator() : nil
    for number in 0..<steps {
      let step = cluster.next(isFirst: number == 0, assigned: allocator.assignments)
      if step.isRestart {
        allocator = Allocator()
        if twin != nil { twin = Allocator() }
      }
      var convergence: Convergence
      let isRemade = step.removed.contains { name in step.changed.contains { $0.id == name } }
      if let pools = step.pools, !isRemade {
        var requests = cluster.requests
        for request in step.changed { requests[request.id] = request }
        convergence = allocator.converge(pools: pools, requests: Array(requests.values), now: cluster.now)
      } else {
        convergence = allocator.converge(changed: step.changed, removed: step.removed, now: cluster.now)
      }
      if unsafe getenv("ROADSTEAD_TRACE") != nil {
        print(number, cluster.now, step.text, convergence.events.map(\.description), convergence.poolProblems)
      }
      var wrong = oracle.judge(step, cluster, allocator, convergence)
      if !isLarge || number % 8 == 0 { wrong += allocator.brokenInvariants() }
      if isRemade {
        twin = nil
      } else if twin != nil {
        var requests = cluster.requests
        for request in step.changed { requests[request.id] = request }
        let all = requests.values.sorted { $0.id > $1.id }
        _ = twin?.converge(pools: cluster.pools, requests: all, now: cluster.now)
        if twin?.assignments != allocator.assignments { wrong.append("told all it comes to something else") }
      }
      if number % 8 == 0 {
        let before = allocator.assignments
        let again = allocator.converge(changed: Array(cluster.requests.values), now: cluster.now)
        if again != Convergence() || allocator.assignments != before { wrong.append("settling twice is not once") }
      }
      if !wrong.isEmpty {
        let events = convergence.events.prefix(20).map(\.description)
        return (number, "step \(number), \(step.text): \(wrong.prefix(5).joined(separator: "; ")); events: \(events)")
      }
    }
    return nil
  }
}
