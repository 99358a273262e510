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
    /// The API server to read and write; nil without one.
    var cluster: ClusterSession.Options?
    var fixedPorts: [ServicePort] = []
    var resolver = EndpointResolver()
    var shards: Int?
    var admin = AdminAddress.standard
    var stateDirectory: String?
    var announce = AnnounceMode.none
    /// Seconds that an address is probed before it is taken.
    var probeTime = 0.6
    var nodeName: String?
    /// What there is to announce with, given how long to probe, and how long the kernel keeps an address.
    var makeAnnouncer: @Sendable (Double, UInt32) async -> AnnouncerChoice = makeLayer2Announcer
    /// Seconds that connections get to end at SIGTERM.
    var drain = 30.0
    var logLevel = Logger.Level.info
    var logFormat = TextLogHandler.Format.text
  }

  /// The signals that it takes; to be blocked before there is a second thread.
  static let signals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

  private static let retrySeconds = 5.0
  private static let lingeringSeconds = 1.0
  /// Seconds for the announcer to withdraw everything, which takes it some milliseconds.
  private static let withdrawalSeconds = 5.0
  /// Seconds that addresses stay after the last connection, whose last bytes the kernel may still have to send.
  private static let lastBytesSeconds = 0.5

  private let options: Options
  private let logger: Logger
  private let control: LoopThread
  private let controller: Controller
  private let session: ClusterSession?
  private let startedAt = time(nil)
  /// What `/readyz` answers without waiting for the controller.
  private let readiness = Published(AdminState.Readiness.notReady("starting"))

  init(_ options: Options) async throws {
    self.options = options
    let (level, format) = (options.logLevel, options.logFormat)
    logger = Logger(label: "roadstead") { _ in TextLogHandler(level: level, format: format) }
    let shards = options.shards ?? Self.defaultShards
    try Self.checkDescriptors(shards: shards)
    // Four fifths for flows, a socket each, and the rest for TCP and the process itself.
    let flowLimit = Int(clamping: OpenFiles.raised()) / 5 * 4
    control = try LoopThread(name: "control")
    let allocations = try Self.openState(options.stateDirectory)
    var planner = AnnouncementPlanner(mode: options.announce, nodeName: options.nodeName)
    let announcer = try await Self.announcer(options, &planner)
    session = try options.cluster.map { [logger] in try ClusterSession($0, logger: logger) }
    controller = Controller(
      plane: try DataPlane(shardCount: shards, flowLimit: flowLimit), resolver: options.resolver,
      fixedPorts: options.fixedPorts, allocations: allocations, announcementPlanner: planner, announcer: announcer,
      session: session, readsFiles: !options.manifests.isEmpty, logger: logger,
      afterFirstAnnounce: Self.blockingTestHook(control))
  }

  /// Nil where nothing is to be announced, or, with `auto`, can be; `planner` knows why then.
  private static func announcer(
    _ options: Options, _ planner: inout AnnouncementPlanner
  ) async throws(CommandFailure) -> (any Announcer)? {
    // Only an L2Advertisement can ask for it with `auto`.
    let canAsk = !options.manifests.isEmpty || options.cluster != nil
    if options.announce == .none || (options.announce == .auto && !canAsk) { return nil }
    switch await options.makeAnnouncer(options.probeTime, options.cluster?.lease?.addressLifetime ?? 8) {
    case .announcer(let announcer): return announcer
    case .unavailable(let why):
      guard options.announce == .auto else { throw CommandFailure(.system, "--announce \(options.announce): \(why)") }
      planner.unavailable = why
      return nil
    }
  }

  /// For the test that no address is lost while the control plane hangs: ROADSTEAD_TEST_BLOCK_CONTROL=SECONDS blocks
  /// the control thread and the controller's, right after the first announcement.
  private static func blockingTestHook(_ control: LoopThread) -> (@Sendable () -> Void)? {
    guard let text = unsafe getenv("ROADSTEAD_TEST_BLOCK_CONTROL"), let seconds = UInt32(unsafe String(cString: text))
    else { return nil }
    return {
      control.loop.submit { sleep(seconds) }
      sleep(seconds)
    }
  }

  /// A loop that cannot be made is no error that could be handled: the start looks first.
  private static func checkDescriptors(shards: Int) throws(CommandFailure) {
    let allowed = OpenFiles.raised()
    let needed = UInt64(24 + 8 * shards)
    guard allowed < needed else { return }
    throw CommandFailure(
      .system, "only \(allowed) open files are allowed, and \(shards) shards need \(needed) (ulimit -n)")
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

  /// Serves until a signal ends it; calls `isUp` once what could be served is. Throws what keeps it from starting.
  func serve(isUp: @Sendable () -> Void = {}) async throws {
    let (events, send) = AsyncStream<Controller.Event>.makeStream()
    let (signals, signal) = AsyncStream<CInt>.makeStream()
    let watcher = try await watchSignals(signal)
    let admin = try await startAdmin()
    let (rounds, round) = AsyncStream<Void>.makeStream()
    let serving = Task {
      // Whether a look at lingering addresses is under way: one at a time.
      var willLook = false
      for await event in events {
        await controller.apply(event)
        if case .cluster = event { session?.applied() }
        readiness.value = await controller.readiness
        round.yield()
        if case .lingering = event { willLook = false }
        if await controller.hasLingering, !willLook {
          willLook = true
          Task {
            try await Task.sleep(for: .seconds(Self.lingeringSeconds))
            send.yield(.lingering)
          }
        }
      }
    }
    let following = Task { await controller.followAnnouncer() }
    let files = watchFiles(send)
    await session?.start { send.yield($0) }
    // What --listen asks for waits for nobody.
    if files == nil { send.yield(.retry) }
    for await _ in rounds { break }
    do {
      try await checkStart()
      isUp()
      let retry = retryFailures(send)
      await wait(for: signals, signal, files, send)
      retry.cancel()
    } catch {
      await controller.stopAnnouncing(within: 1)
      await stop(admin)
      throw error
    }
    // Of what is still announced after a second signal, the kernel withdraws the rest when it has not been renewed.
    await controller.stopAnnouncing(within: 1)
    await finish(following)
    await session?.stop()
    serving.cancel()
    await stop(admin)
    withExtendedLifetime((watcher, files)) {}
  }

  /// Does what each signal asks for, until the drain that one of them starts is over.
  private func wait(
    for signals: AsyncStream<CInt>, _ send: AsyncStream<CInt>.Continuation, _ files: LoopBound<ManifestWatcher>?,
    _ events: AsyncStream<Controller.Event>.Continuation
  ) async {
    var isDraining = false
    for await signal in signals {
      switch signal {
      case SIGHUP: files?.submit { $0.reload() }
      case SIGUSR1:
        print(await controller.freshState(startedAt: startedAt).statusText(), terminator: "")
        flushStandardOutput()
      case Self.drained: return
      default:
        // A second one wants no more waiting.
        if isDraining { return }
        isDraining = true
        Task {
          await drain(signal, events)
          send.yield(Self.drained)
        }
      }
    }
  }

  // No signal has this number.
  private static let drained: CInt = 0

  // MARK: - Start

  /// What cannot work is an error of the start and not only of the log, which has said why.
  private func checkStart() async throws {
    // What the API server says may change, and it may come back.
    if session != nil { return }
    if let manifests = await controller.manifests {
      guard manifests.hasReadAnything else { throw ExitCode(ExitStatus.input.rawValue) }
      return
    }
    // Without manifests there is nothing that could change: what cannot be listened on now is the user's to mend.
    let served = await controller.served
    if served.listening.isEmpty, !served.failures.isEmpty { throw ExitCode(ExitStatus.system.rawValue) }
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
      state: { [controller, startedAt] answer in Task { answer(await controller.freshState(startedAt: startedAt)) } })
    let address = options.admin
    do {
      return try await control.loop.make { loop in
        try HTTPServer(loop: loop, address: address, routes: routes)
      }
    } catch let error as AdminError {
      throw CommandFailure(.system, "\(error); choose another address with --admin, or --admin none")
    }
  }

  private func watchSignals(_ send: AsyncStream<CInt>.Continuation) async throws -> LoopBound<SignalWatcher> {
    try await control.loop.make { loop in
      try SignalWatcher(loop: loop, signals: Self.signals) { send.yield($0) }
    }
  }

  // MARK: - End

  private func drain(_ signal: CInt, _ events: AsyncStream<Controller.Event>.Continuation) async {
    let open = await controller.plane.connectionCount()
    let seconds = options.drain.formatted
    let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
    if session?.options.lease != nil {
      let end = open == 0 ? "" : "; \(open) open connection\(open == 1 ? " ends" : "s end") with that"
      logger.notice("\(name): addresses and Lease are given back for another instance\(end)")
    } else {
      let rest = open == 0 ? "none is open" : "\(open) open, which \(open == 1 ? "has" : "have") \(seconds) s to end"
      logger.notice("\(name): no new connections; \(rest)")
    }
    readiness.value = .draining
    await controller.finishReports()
    // Another instance may take the addresses at once, and the connections on them end with that.
    if await handOver() { return }
    await controller.stopAccepting()
    // From now on looked at until the last address is withdrawn.
    events.yield(.lingering)
    let cut = await controller.drain(for: options.drain)
    if cut > 0 {
      logger.warning("\(cut) connection\(cut == 1 ? " was" : "s were") still open after \(seconds) s and reset")
    }
    if open > 0, await !controller.announced.isEmpty {
      try? await Task.sleep(for: .seconds(Self.lastBytesSeconds))
    }
    await controller.stopAnnouncing(within: Self.withdrawalSeconds)
  }

  /// Gives addresses and Lease away; false where there is no Lease. It listens on until nobody comes here any more: a
  /// client that is refused takes that for an answer, one that hears nothing asks again.
  private func handOver() async -> Bool {
    guard let session, session.options.lease != nil else { return false }
    await controller.stopAnnouncing(within: Self.withdrawalSeconds)
    await session.stop()
    await controller.stopAccepting()
    _ = await controller.drain(for: 0)
    return true
  }

  /// Lets what the announcer told last come into the log.
  private func finish(_ following: Task<Void, Never>) async {
    Task {
      try await Task.sleep(for: .milliseconds(100))
      following.cancel()
    }
    await following.value
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

extension Double {
  /// Without a fraction where it is whole: `30`, `0.5`.
  fileprivate var formatted: String { "\(self)".hasSuffix(".0") ? "\("\(self)".dropLast(2))" : "\(self)" }
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
