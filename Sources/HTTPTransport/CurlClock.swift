import CLibCurl
import EventLoop

/// libcurl's one timer. Loop only.
final class CurlClock: EventHandler {
  // The driver holds its clock.
  private unowned let driver: MultiDriver
  private var timer: TimerWatcher?

  init(driver: MultiDriver) {
    self.driver = driver
    super.init()
    timer = TimerWatcher(loop: driver.loop, handler: self)
  }

  /// As CURLMOPT_TIMERFUNCTION has it: -1 stops.
  func set(milliseconds: Int) {
    if milliseconds < 0 { timer?.stop() } else { timer?.schedule(after: Double(milliseconds) / 1000) }
  }

  override func timerFired() { driver.advance(CURL_SOCKET_BAD, 0) }
}
