import Addresses
import Admin
import Announcing
import ArgumentParser
import Balancing
import CLibEv
import EventLoop
import Glibc
import Kubernetes
import Logging
import Proxy
import Synchronization

/// A process that serves: the controller with everything around it that turns the world into events and questions.
///
/// `run` and `demo` make one and wait in ``serve()``. Files, admin port and signals share one control thread; the
/// packet path has its own.
struct ServingProcess: Sendable {
  /// What the command line decides.
  struct Options: Sendable {
    var manifests: [String] = []
    var fixedPorts: [ServicePort] = []
    var resolver = EndpointResolver()
    var shards: Int?
    var admin = AdminAddress.standard
    var stateDirectory: String?
    /// Seconds that connections get to end at SIGTERM.
    var drain = 30.0
    var logLevel = Logger.Level.info
    var logFormat = TextLogHandler.Format.text
  }

  /// The signals that it takes; to be blocked before there is a second thread.
  static let signals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

  private static let retrySeconds = 5.0

  private let options: Options
  private let logger: Logger
  private let control: LoopThread
  private let controller: Controller
  private let startedAt = time(nil)
  /// What `/readyz` answers without waiting for the controller.
  private let readiness = Published(AdminState.Readiness.notReady("starting"))

  init(_ options: Options) throws {
    self.options = options
    let (level, format) = (options.logLevel, options.logFormat)
    logger = Logger(label: "roadstead") { _ in TextLogHandler(level: level, format: format) }
    _ = OpenFiles.raised()
    control = try LoopThread(name: "control")
    let allocations = try Self.openState(options.stateDirectory)
    controller = Controller(
      plane: try DataPlane(shardCount: options.shards ?? Self.defaultShards), resolver: options.resolver,
      fixedPorts: options.fixedPorts, allocations: allocations, logger: logger)
  }

  private static func openState(_ directory: String?) throws(CommandFailure) -> AllocationStore? {
    guard let directory else { return nil }
    do throws(AllocationStoreError) {
      return try AllocationStore(directory: directory)
    } catch {
      if case .system = error { throw CommandFailure(.system, error.description) }
      throw CommandFailure(.input, error.description)
    }
  }

  /// One for each core this process may use.
  static var defaultShards: Int { max(1, Int(clinux_usable_cores())) }

  /// Serves until a signal ends it. Throws what keeps it from starting.
  func serve() async throws {
    let (events, send) = AsyncStream<Controller.Event>.makeStream()
    let admin = try await startAdmin()
    let signals = try await watchSignals()
    try await start(send)
    let retry = retryFailures(send)
    let files = watchFiles(send)
    let serving = Task {
      for await event in events {
        await controller.apply(event)
        readiness.value = await controller.readiness
      }
    }
    var drain: Task<Void, Never>?
    let ended = AsyncStream<CInt>.makeStream()
    let forward = Task {
      for await signal in signals.stream { ended.continuation.yield(signal) }
    }
    for await signal in ended.stream {
      switch signal {
      case SIGHUP: files?.submit { $0.reload() }
      case SIGUSR1:
        print(await controller.state(startedAt: startedAt).statusText(), terminator: "")
        flushStandardOutput()
      case 0: break
      default:
        guard drain == nil else { break }
        drain = Task {
          await end(signal)
          ended.continuation.yield(0)
        }
        continue
      }
      // The drain is over, or a second signal wants no more waiting.
      if signal == 0 || ([SIGTERM, SIGINT].contains(signal) && drain != nil) { break }
    }
    forward.cancel()
    serving.cancel()
    retry.cancel()
    await stop(admin)
    withExtendedLifetime((signals, files)) {}
  }

  // MARK: - Start

  /// The first round, so that what cannot work is an error of the start and not of a log.
  private func start(_ send: AsyncStream<Controller.Event>.Continuation) async throws {
    if !options.manifests.isEmpty {
      let first = ManifestLoader.load(options.manifests)
      await controller.apply(.manifests(first))
      // The log has said why.
      guard first.hasReadAnything else { throw ExitCode(ExitStatus.input.rawValue) }
    } else {
      await controller.apply(.retry)
      let served = await controller.served
      // Without manifests there is nothing that could change: what cannot be listened on now is the user's to mend.
      if served.listening.isEmpty, !served.failures.isEmpty { throw ExitCode(ExitStatus.system.rawValue) }
    }
    readiness.value = await controller.readiness
  }

  private func watchFiles(_ send: AsyncStream<Controller.Event>.Continuation) -> LoopBound<ManifestWatcher>? {
    guard !options.manifests.isEmpty else { return nil }
    let paths = options.manifests
    return LoopBound(control.loop) { loop in
      ManifestWatcher(loop: loop, paths: paths) { send.yield(.manifests($0)) }
    }
  }

  private func retryFailures(_ send: AsyncStream<Controller.Event>.Continuation) -> Task<Void, any Error> {
    Task {
      while true {
        try await Task.sleep(for: .seconds(Self.retrySeconds))
        if await controller.hasFailures { send.yield(.retry) }
      }
    }
  }

  private func startAdmin() async throws -> LoopBound<HTTPServer>? {
    guard options.admin != .none else { return nil }
    let routes = RouteTable.admin(
      readiness: { [readiness] in readiness.value },
      state: { [controller, startedAt] answer in Task { answer(await controller.state(startedAt: startedAt)) } })
    let address = options.admin
    return try await control.loop.make { loop in
      try HTTPServer(loop: loop, address: address, routes: routes)
    }
  }

  private func watchSignals() async throws -> SignalStream {
    let (stream, continuation) = AsyncStream<CInt>.makeStream()
    let watcher = try await control.loop.make { loop in
      try SignalWatcher(loop: loop, signals: Self.signals) { continuation.yield($0) }
    }
    return SignalStream(stream: stream, watcher: watcher)
  }

  private struct SignalStream: Sendable {
    let stream: AsyncStream<CInt>
    let watcher: LoopBound<SignalWatcher>
  }

  // MARK: - End

  private func end(_ signal: CInt) async {
    let open = await controller.plane.connectionCount()
    logger.notice(
      "\(signal == SIGINT ? "SIGINT" : "SIGTERM"): no new connections; \(open) open, which have \(options.drain) s to end")
    readiness.value = .notReady("draining")
    let cut = await controller.drain(for: options.drain)
    if cut > 0 { logger.warning("\(cut) connections were still open after \(options.drain) s and were reset") }
  }

  private func stop(_ admin: LoopBound<HTTPServer>?) async {
    guard let admin else { return }
    await withCheckedContinuation { continuation in
      admin.submit {
        $0.stop()
        continuation.resume()
      }
    }
  }
}

/// A value that one task writes and others read.
final class Published<Value: Sendable>: Sendable {
  private let storage: Mutex<Value>

  init(_ value: Value) { storage = Mutex(value) }

  var value: Value {
    get { storage.withLock { $0 } }
    set { storage.withLock { $0 = newValue } }
  }
}
