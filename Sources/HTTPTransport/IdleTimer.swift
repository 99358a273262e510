import EventLoop

/// Ends a stream that has been silent for too long. Loop only.
///
/// Bytes only note the time; the timer is set again when it fires.
final class IdleTimer: EventHandler {
  // The driver holds the transfer that holds this timer.
  private unowned let driver: MultiDriver
  private let ticket: TransferTicket
  private let seconds: Double
  private var lastActivity = 0.0
  private var timer: TimerWatcher?

  init(driver: MultiDriver, ticket: TransferTicket, seconds: Double) {
    self.driver = driver
    self.ticket = ticket
    self.seconds = seconds
    super.init()
    timer = TimerWatcher(loop: driver.loop, handler: self)
  }

  /// Begins to wait, or to wait anew.
  func touch() {
    lastActivity = driver.loop.now
    if timer?.isScheduled == false { timer?.schedule(after: seconds) }
  }

  func stop() { timer?.stop() }

  override func timerFired() {
    let left = lastActivity + seconds - driver.loop.now
    if left > 0.001 { timer?.schedule(after: left) } else { driver.end(ticket, .idle(seconds: seconds)) }
  }
}
