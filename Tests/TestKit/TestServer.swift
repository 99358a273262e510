import Addresses
import Glibc
import Synchronization

/// A server with one thread per connection, each running a handler from ``Handlers``.
///
/// It ends with its last reference or with ``stop()``. What handlers throw is kept in ``failures``.
public final class TestServer: Sendable {
  /// Serves one connection, which is closed when it returns or throws.
  public typealias Handler = @Sendable (TCPStream) throws -> Void

  public let address: SocketAddress
  private let core: Core
  private let thread: TestThread

  /// Listens on `address` (port 0: any) and serves each connection with `handler`.
  public init(on address: SocketAddress, receiveBuffer: Int? = nil, _ handler: @escaping Handler) throws {
    let core = Core(listener: try TCPListener(on: address, receiveBuffer: receiveBuffer), handler: handler)
    self.core = core
    self.address = core.listener.address
    thread = try TestThread { core.run() }
  }

  deinit { stop() }

  /// Stops listening: new connections are refused. Those that are open go on.
  public func stop() {
    guard core.stop() else { return }
    thread.join()
    core.listener.close()
  }

  /// How many connections were accepted so far.
  public var acceptedCount: Int { core.accepted.load(ordering: .relaxed) }

  /// What went wrong in handlers so far.
  public var failures: [String] { core.failures.all }

  private final class Core: Sendable {
    let listener: TCPListener
    let handler: Handler
    let accepted = Atomic(0)
    let failures = Mailbox<String>()
    let isStopped = Atomic(false)

    init(listener: TCPListener, handler: @escaping Handler) {
      self.listener = listener
      self.handler = handler
    }

    func stop() -> Bool {
      guard !isStopped.exchange(true, ordering: .relaxed) else { return false }
      listener.stopListening()
      return true
    }

    func run() {
      while !isStopped.load(ordering: .relaxed) {
        do {
          guard let stream = try listener.accept(until: .after(.seconds(1))) else { continue }
          accepted.add(1, ordering: .relaxed)
          try TestThread { [self] in serve(stream) }.detach()
        } catch {
          // Stopping makes accept fail; anything else is the test's business.
          if !isStopped.load(ordering: .relaxed) { failures.post("\(error)") }
        }
      }
    }

    func serve(_ stream: TCPStream) {
      do { try handler(stream) } catch { failures.post("\(error)") }
      stream.close()
    }
  }
}
