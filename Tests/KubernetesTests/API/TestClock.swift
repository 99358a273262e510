import Synchronization
import Testing

@testable import Kubernetes

/// Time that a test makes: either every sleep ends at once and time jumps, or time stands until ``advance(_:)``.
final class TestClock: Sendable {
  private struct Sleeper {
    let id: Int
    let due: Double
    let continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var now = 0.0
    var sleeps: [Double] = []
    var sleepers: [Sleeper] = []
    var ids = 0
  }

  private let state = Mutex(State())
  private let isInstant: Bool

  init(isInstant: Bool = true) { self.isInstant = isInstant }

  /// What was slept, in order, in seconds.
  var sleeps: [Double] { state.withLock { $0.sleeps } }
  var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  var clock: ClusterClock {
    ClusterClock(
      unixTime: { 1_700_000_000 + Int(self.state.withLock { $0.now }) }, seconds: { self.state.withLock { $0.now } },
      sleep: { await self.sleep($0) })
  }

  private func sleep(_ seconds: Double) async {
    if isInstant {
      state.withLock {
        $0.now += seconds
        $0.sleeps.append(seconds)
      }
      await Task.yield()
      return
    }
    let id = state.withLock {
      $0.sleeps.append(seconds)
      $0.ids += 1
      return $0.ids
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        state.withLock { $0.sleepers.append(Sleeper(id: id, due: $0.now + seconds, continuation: continuation)) }
        if Task.isCancelled { wake { $0.id == id } }
      }
    } onCancel: {
      wake { $0.id == id }
    }
  }

  private func wake(_ isMeant: (Sleeper) -> Bool) {
    let due = state.withLock { state in
      let due = state.sleepers.filter(isMeant)
      state.sleepers.removeAll(where: isMeant)
      return due
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  /// Lets `seconds` pass: whoever is due by then goes on.
  func advance(_ seconds: Double) {
    let now = state.withLock {
      $0.now += seconds
      return $0.now
    }
    wake { $0.due <= now }
  }
}

/// Waits, without blocking a thread, until `condition` holds; fails when it does not within 20 s.
func holds(
  _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async -> Bool
) async {
  let deadline = ContinuousClock.now + .seconds(20)
  while await !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("\(what): not within 20 s", sourceLocation: sourceLocation)
      return
    }
    try? await Task.sleep(for: .milliseconds(1))
  }
}
