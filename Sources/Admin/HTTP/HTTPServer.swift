import CMicroHTTPD
import EventLoop
import Glibc

/// An HTTP/1.1 server on one event loop: small answers to GET and HEAD, and no way to keep it busy by being slow.
///
/// Everything is for the loop's own thread, except that a ``HTTPResponder`` may be answered from any. Heads are
/// bounded in size (431) and time, requests with a body are refused (413), other methods are 405.
@safe public final class HTTPServer: EventHandler {
  /// What bounds a server.
  public struct Limits: Hashable, Sendable {
    /// Bytes of a request's head, and of what is kept for its connection.
    public var headBytes: Int
    /// Seconds without a byte after which a connection ends; a whole head may take twice as long.
    public var idleSeconds: UInt32
    /// Connections at a time; more wait in the kernel's queue.
    public var connections: UInt32
    /// Connections at a time from one IP address, more are closed; 0 for no limit.
    public var connectionsPerAddress: UInt32

    public init(
      headBytes: Int = 16 << 10, idleSeconds: UInt32 = 5, connections: UInt32 = 256,
      connectionsPerAddress: UInt32 = 128
    ) {
      self.headBytes = headBytes
      self.idleSeconds = idleSeconds
      self.connections = connections
      self.connectionsPerAddress = connectionsPerAddress
    }
  }

  /// Where it listens, with the port that the kernel chose.
  public let address: AdminAddress

  let loop: EventLoop
  let routes: RouteTable
  private let headSeconds: Double
  let link: HTTPServerLink
  // Libmicrohttpd's; started in init, nil once stopped.
  private var daemon: OpaquePointer?
  private var watcher: ReadinessWatcher?
  private var timer: TimerWatcher?
  private var file: UnixSocketFile?
  // Requests that no response is known for yet.
  var waiting: [UInt64: HTTPExchange] = [:]
  var lastExchange: UInt64 = 0
  // The sockets of connections whose next head is not complete, and since when it is awaited (the loop's seconds).
  var incomplete: [CInt: Double] = [:]
  private var nextLook = 0.0
  // Inside MHD_run, which must not be entered again.
  private var isTurning = false
  private var isEnding = false
  // At a limit the daemon stops to accept, and starts again in the turn after the one that closed a connection.
  var hasClosed = false
  // Whether a connection has come since the last turn, and how many turns in a row none did.
  var hasStarted = false
  private var quietTurns = 0

  /// Listens, and answers as soon as the loop runs. Throws what kept it from listening.
  public init(
    loop: EventLoop, address: AdminAddress, routes: RouteTable, limits: Limits = Limits()
  ) throws(AdminError) {
    var socket = try ListeningSocket(address)
    self.address = socket.address
    self.loop = loop
    self.routes = routes
    headSeconds = Double(limits.idleSeconds) * 2
    link = HTTPServerLink(loop)
    super.init()
    link.server = self
    file = socket.file.take()
    let descriptor = socket.descriptor.take()
    let bounds = cmhd_limits(
      memory_per_connection: limits.headBytes, timeout_seconds: limits.idleSeconds, connections: limits.connections,
      connections_per_address: limits.connectionsPerAddress)
    // The daemon ends in stop(), at the latest in deinit: no callback comes after this object.
    unsafe daemon = cmhd_start(
      descriptor, bounds,
      cmhd_callbacks(
        request: onRequest, completed: onCompleted, connection: onConnection,
        context: Unmanaged.passUnretained(self).toOpaque()))
    guard let daemon = unsafe daemon else {
      let error = Errno.current
      close(descriptor)
      throw AdminError(.system, "cannot serve HTTP at \(address): \(error)")
    }
    // A watcher owns its descriptor, and this one is the daemon's: a duplicate watches the same epoll set.
    let epoll = unsafe fcntl(cmhd_epoll_descriptor(daemon), F_DUPFD_CLOEXEC, 0)
    guard epoll >= 0 else {
      let error = Errno.current
      stop()
      throw AdminError(.system, "cannot serve HTTP at \(address): \(error)")
    }
    watcher = ReadinessWatcher(loop: loop, descriptor: OwnedDescriptor(epoll), handler: self)
    watcher?.watch(.read)
    timer = TimerWatcher(loop: loop, handler: self)
  }

  deinit { stop() }

  /// Answers 503 to whoever still waits, closes everything and removes the socket's file. More than once is fine.
  public func stop() {
    guard !isTurning else {
      isEnding = true
      return
    }
    guard let daemon = unsafe daemon else { return }
    for exchange in waiting.values { complete(exchange, .text("the server stops", status: 503)) }
    waiting = [:]
    // A daemon must not end while a connection is suspended; this turn also sends the answers.
    isTurning = true
    unsafe MHD_run(daemon)
    watcher = nil
    timer = nil
    unsafe MHD_stop_daemon(daemon)
    unsafe self.daemon = nil
    isTurning = false
    file = nil
    link.server = nil
  }

  private static let pauseWithoutDescriptors = 0.1

  public override func ready(_ events: Readiness, on descriptor: CInt) {
    turn()
    // Without a descriptor the daemon cannot accept, and whoever waits in the queue would wake the loop without end.
    quietTurns = hasStarted ? 0 : quietTurns + 1
    hasStarted = false
    guard quietTurns >= 8 else { return }
    quietTurns = 0
    guard isOutOfDescriptors(descriptor) else { return }
    watcher?.watch([])
    timer?.schedule(after: Self.pauseWithoutDescriptors)
  }

  private func isOutOfDescriptors(_ descriptor: CInt) -> Bool {
    // The server may have ended in the turn.
    guard watcher != nil else { return false }
    let probe = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard probe >= 0 else { return Errno.current.rawValue == EMFILE || Errno.current.rawValue == ENFILE }
    close(probe)
    return false
  }

  public override func timerFired() {
    watcher?.watch(.read)
    turn()
  }

  private func turn() {
    guard let daemon = unsafe daemon else { return }
    endSlowHeads()
    isTurning = true
    unsafe MHD_run(daemon)
    isTurning = false
    guard !isEnding else { return stop() }
    var milliseconds: UInt64 = 0
    // Libmicrohttpd may also have work left that no descriptor tells of: then this is 0.
    var seconds = unsafe MHD_get_timeout(daemon, &milliseconds) == .YES ? Double(milliseconds) / 1000 : .infinity
    if !incomplete.isEmpty { seconds = min(seconds, 1) }
    if hasClosed { seconds = 0 }
    hasClosed = false
    if seconds.isFinite { timer?.schedule(after: seconds) } else { timer?.stop() }
  }

  /// A client that sends its head byte by byte is never idle; its connection is shut down, and the daemon closes it.
  private func endSlowHeads() {
    let now = loop.now
    // Not with every turn: the very bytes of a slow head make turns.
    guard now >= nextLook else { return }
    nextLook = now + 1
    for (socket, since) in incomplete where now - since > headSeconds { shutdown(socket, CInt(SHUT_RDWR)) }
  }

  /// A response has come for a request that may be gone. Loop only.
  func complete(_ id: UInt64, _ response: HTTPResponse) {
    guard let exchange = waiting.removeValue(forKey: id) else { return }
    complete(exchange, response)
  }

  private func complete(_ exchange: HTTPExchange, _ response: HTTPResponse) {
    exchange.response = response
    guard exchange.isSuspended else { return }
    exchange.isSuspended = false
    // Suspended connections are never closed, so this one is there.
    unsafe MHD_resume_connection(exchange.connection)
    // Nothing wakes a daemon without threads when a connection resumes: the next turn of the loop goes on with it.
    if !isTurning { timer?.schedule(after: 0) }
  }
}
