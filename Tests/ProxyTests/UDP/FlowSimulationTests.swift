import Glibc
import TestKit
import Testing

/// `ROADSTEAD_SEED=` replays: it is the seed of the first world. `ROADSTEAD_STEPS=` is how many steps are made in all.
@Suite struct FlowSimulationTests {
  @Test(.timeLimit(.minutes(5))) func `no flow is lost, doubled, miscounted or moved without cause`() {
    let seed = testSeed()
    let steps = environment("ROADSTEAD_STEPS").flatMap { Int($0) } ?? 20_000
    // A simulation that hangs must have told its seed.
    fflush(nil)
    var done = 0
    var world: UInt64 = 0
    while done < steps {
      var simulation = FlowSimulation(seed: seed &+ world)
      var trail: [String] = []
      for step in 0..<min(steps - done, 500) {
        trail.append(simulation.step())
        guard simulation.wrong.isEmpty else {
          Issue.record(
            """
            ROADSTEAD_SEED=\(seed &+ world) ROADSTEAD_STEPS=\(step + 1): \(simulation.wrong.joined(separator: "; "))
            \(trail.suffix(8).joined(separator: "\n"))
            """)
          return
        }
      }
      done += 500
      world += 1
    }
  }
}
