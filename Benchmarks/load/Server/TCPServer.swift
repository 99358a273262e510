import Addresses
import CLibEv
import EventLoop
import Glibc

/// Accepts connections and answers their requests. Lives on one loop.
final class TCPServer: EventHandler {
  let loop: EventLoop
  /// What all connections read into and reply from.
  let input = Buffer(size: Buffer.bulk)
  let output = Buffer(size: Buffer.bulk)
  private var watcher: ReadinessWatcher?
  private var timer: TimerWatcher?
  // All that were ever needed at one time; those in `free` wait to be used again.
  private var connections: [TCPServerConnection] = []
  private var free: [TCPServerConnection] = []

  /// Connections that one turn accepts, so that those that are open get theirs.
  private static let acceptsInATurn = 64

  /// Listens on `address`. Throws what the system says.
  init(loop: EventLoop, on address: SocketAddress) throws(Errno) {
    self.loop = loop
    super.init()
    let socket = try OwnedDescriptor(checking: clinux_socket(address.family, Int32(SOCK_STREAM.rawValue)))
    _ = clinux_set_option(socket.rawValue, SOL_SOCKET, SO_REUSEADDR, 1)
    // Inherited by what is accepted.
    _ = clinux_set_option(socket.rawValue, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
    guard unsafe address.withSockaddr({ unsafe bind(socket.rawValue, $0, $1) }) == 0 else { throw .current }
    guard listen(socket.rawValue, 65_535) == 0 else { throw .current }
    watcher = ReadinessWatcher(loop: loop, descriptor: socket, handler: self)
    watcher?.watch(.read)
    timer = TimerWatcher(loop: loop, handler: self)
  }

  /// Where it listens.
  var address: SocketAddress? { SocketAddress.local(of: watcher?.descriptor ?? -1) }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    for _ in 0..<Self.acceptsInATurn {
      let accepted = clinux_accept(descriptor, nil)
      guard accepted >= 0 else {
        if errno == EMFILE || errno == ENFILE { pause() }
        return
      }
      let connection = free.popLast() ?? makeConnection()
      connection.take(OwnedDescriptor(accepted))
    }
  }

  /// Without a descriptor for it a connection stays in the queue: others have a moment to end.
  private func pause() {
    watcher?.watch([])
    timer?.schedule(after: 0.02)
  }

  override func timerFired() { watcher?.watch(.read) }

  private func makeConnection() -> TCPServerConnection {
    let connection = TCPServerConnection(server: self)
    connections.append(connection)
    return connection
  }

  /// Takes back a connection that has closed.
  func release(_ connection: TCPServerConnection) { free.append(connection) }
}
