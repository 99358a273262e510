import Synchronization

@testable import Kubernetes

/// A clock that stands still until it is told how far to go.
final class ManualClock: Sendable {
  private struct Sleeper {
    var id: Int
    var time: Double
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var now = 1000.0
    var nextID = 0
    var sleepers: [Sleeper] = []
    var cancelled: Set<Int> = []
  }

  private let state = Mutex(State())

  var now: Double { state.withLock { $0.now } }
  var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  var writerClock: WriterClock {
    WriterClock(
      uptime: { self.now }, unixTime: { 1_767_225_600 + self.now - 1000 }, sleep: { await self.sleep($0) })
  }

  /// A millionth more than asked, so that sums that round upwards are reached.
  func advance(_ seconds: Double) {
    let due = state.withLock { state in
      state.now += seconds + 1e-6
      let now = state.now
      let due = state.sleepers.filter { $0.time <= now }
      state.sleepers.removeAll { $0.time <= now }
      return due
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  private func sleep(_ seconds: Double) async {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if seconds <= 0 || state.cancelled.remove(id) != nil { return true }
          state.sleepers.append(Sleeper(id: id, time: state.now + seconds, continuation: continuation))
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let index = state.sleepers.firstIndex { $0.id == id }
        if index == nil { state.cancelled.insert(id) }
        return index.map { state.sleepers.remove(at: $0) }
      }
      sleeper?.continuation.resume()
    }
  }
}
