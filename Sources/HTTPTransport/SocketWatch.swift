import CLibCurl
import EventLoop

/// Watches one of libcurl's sockets for as long as libcurl wants it. Loop only.
final class SocketWatch: EventHandler {
  // The driver holds its watches, and retires them to the loop.
  private unowned let driver: MultiDriver
  private var watcher: BorrowedWatcher?

  init(driver: MultiDriver, socket: curl_socket_t) {
    self.driver = driver
    super.init()
    watcher = BorrowedWatcher(loop: driver.loop, descriptor: socket, handler: self)
  }

  /// `what` is one of CURL_POLL_IN, OUT and INOUT.
  func watch(_ what: CInt) {
    var events: Readiness = []
    if what & CURL_POLL_IN != 0 { events.insert(.read) }
    if what & CURL_POLL_OUT != 0 { events.insert(.write) }
    watcher?.watch(events)
  }

  /// libcurl may close the descriptor right after.
  func stop() { watcher?.watch([]) }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    var flags: CInt = 0
    if events.contains(.read) { flags |= CURL_CSELECT_IN }
    if events.contains(.write) { flags |= CURL_CSELECT_OUT }
    driver.advance(descriptor, flags)
  }
}
