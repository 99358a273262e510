import Synchronization
import TestKit

@testable import Kubernetes

/// A clock that stands until the test moves it.
final class LeaseTestClock: Sendable {
  private struct State {
    var now = 0.0
    var lastSleeper = 0
    var sleepers: [Int: (deadline: Double, waiting: CheckedContinuation<Void, Never>)] = [:]
  }

  private let state = Mutex(State())

  /// What a ``LeaseKeeper`` is given.
  var lease: LeaseClock {
    LeaseClock(
      now: { self.state.withLock { $0.now } },
      wallTime: { MicroTime(microseconds: Int(self.state.withLock { $0.now } * 1e6)) },
      sleep: { await self.sleep($0) })
  }

  private func sleep(_ seconds: Double) async {
    let number = state.withLock { state in
      state.lastSleeper += 1
      return state.lastSleeper
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiting in
        let isOver = state.withLock { state in
          guard seconds > 0, !Task.isCancelled else { return true }
          state.sleepers[number] = (state.now + seconds, waiting)
          return false
        }
        if isOver { waiting.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: number)?.waiting }?.resume()
    }
  }

  /// Waits until so many sleep until that second, and lets it come.
  func advance(to time: Double, sleepers count: Int = 1) async throws {
    try await soon("\(count) that sleep until \(time)") {
      state.withLock { $0.sleepers.values.count { abs($0.deadline - time) < 1e-6 } } >= count ? true : nil
    }
    let due = state.withLock { state in
      state.now = time
      let due = state.sleepers.filter { $0.value.deadline <= time + 1e-6 }
      for number in due.keys { state.sleepers[number] = nil }
      return due.values.map(\.waiting)
    }
    for waiting in due { waiting.resume() }
  }
}

/// Waits until `find` finds what the test waits for; throws after 10 s.
@discardableResult
func soon<Value>(_ what: String, _ find: () -> Value?) async throws -> Value {
  let deadline = Deadline.after(.seconds(10))
  while true {
    if let found = find() { return found }
    guard !deadline.hasPassed else { throw TestFailure("\(what): not within 10 s") }
    try await Task.sleep(for: .milliseconds(1))
  }
}
