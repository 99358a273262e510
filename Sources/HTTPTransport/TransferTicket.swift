import EventLoop
import Synchronization

/// Names one transfer from outside the loop. Any thread.
final class TransferTicket: Sendable {
  private let driver: LoopBound<MultiDriver>
  private let cancelled = Atomic(false)

  init(driver: LoopBound<MultiDriver>) { self.driver = driver }

  /// A cancellation may overtake the start; the start then looks here.
  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

  func cancel() {
    cancelled.store(true, ordering: .releasing)
    driver.submit { $0.end(self, .cancelled) }
  }

  func resume() { driver.submit { $0.resume(self) } }
}
