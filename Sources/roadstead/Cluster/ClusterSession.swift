import EventLoop
import Kubernetes
import Logging

/// The side of a process that faces the API server: it watches, takes part in the Lease, and writes back.
actor ClusterSession {
  /// What it is made of.
  struct Options: Sendable {
    var connection: ClusterConnection
    var kinds = ClusterWatcher.defaultKinds
    var loadBalancerClass: String?
    /// Nil for a single instance.
    var lease: LeaseSettings?
    /// Who this instance is, in events.
    var identity: String
  }

  nonisolated let options: Options
  private let thread: LoopThread
  private let watcher: ClusterWatcher
  private let client: APIClient
  private var keeper: LeaseKeeper?
  private let events: EventWriter
  private let writer: ServiceWriter
  private let logger: Logger
  private var tasks: [Task<Void, Never>] = []
  private var send: (@Sendable (Controller.Event) -> Void)?
  private var isStopped = false

  init(_ options: Options, logger: Logger) throws(Errno) {
    self.options = options
    self.logger = logger
    thread = try LoopThread(name: "cluster")
    let client = options.connection.client(thread.loop)
    self.client = client
    for warning in options.connection.warnings { logger.warning("\(warning)") }
    let said = SaidTroubles()
    watcher = ClusterWatcher(client: client, kinds: options.kinds) { text in
      logger.log(level: said.isNews(text) ? .warning : .debug, "\(text)")
    }
    let write: WriteLog = { level, text in logger.log(level: Logger.Level(level), "\(text)") }
    keeper = options.lease.map { LeaseKeeper(client: client, settings: $0) }
    events = EventWriter(client: client, identity: options.identity, log: write)
    writer = ServiceWriter(
      client: client, events: events, loadBalancerClass: options.loadBalancerClass, isPaused: options.lease != nil,
      log: write)
  }

  /// Hands everything that the API server says to `send`, in order of each source, until ``stop(releasing:)``.
  func start(_ send: @escaping @Sendable (Controller.Event) -> Void) async {
    await watcher.start()
    tasks.append(
      Task { [watcher] in
        while let snapshot = await watcher.next() { send(.cluster(snapshot)) }
      })
    self.send = send
    await wantLease()
  }

  private func wantLease() async {
    guard let keeper, let send else { return }
    tasks.append(
      Task {
        for await status in keeper.statuses { send(.lease(status)) }
      })
    tasks.append(
      Task { [logger] in
        for await problem in keeper.problems {
          if let problem { logger.warning("\(problem)") }
        }
      })
    await keeper.start()
  }

  /// Gives the Lease back and wants it no more, or wants it again.
  func setCandidate(_ isCandidate: Bool) async {
    guard let settings = options.lease, !isStopped else { return }
    if isCandidate {
      guard keeper == nil else { return }
      keeper = LeaseKeeper(client: client, settings: settings)
      await wantLease()
    } else if let keeper {
      self.keeper = nil
      send?(.lease(.standby(holder: nil)))
      await keeper.release()
      await keeper.stop()
    }
  }

  /// What the Services are to say. A stand-by's is kept until it holds the Lease.
  func write(_ reports: [ServiceReport], store: ObjectStore) async { await writer.write(reports, store: store) }

  /// Says at each object that cannot be used what is wrong with it.
  func tell(_ problems: [ManifestProblem]) async {
    for problem in problems {
      guard let kind = ObjectKind(rawValue: problem.kind), kind.isNamespaced, !problem.name.isEmpty else { continue }
      let name = NamespacedName(namespace: problem.namespace, name: problem.name)
      let field = problem.field.isEmpty ? "" : "\(problem.field): "
      await events.post(
        ServiceReport.Event(isWarning: true, reason: "InvalidObject", message: "\(field)\(problem.message)"),
        about: ObjectReference(kind, name))
    }
  }

  /// Whether this instance writes.
  func setWriting(_ isWriting: Bool) async {
    if isWriting { await writer.resume() } else { await writer.pause() }
  }

  /// Writes what is still to be written, for a moment, then lets another instance take over.
  func stop() async {
    guard !isStopped else { return }
    isStopped = true
    await writer.flush(within: 0.3)
    await writer.pause()
    await keeper?.release()
    await keeper?.stop()
    for task in tasks { task.cancel() }
    await watcher.stop()
  }
}

extension Logger.Level {
  fileprivate init(_ level: WriteLogLevel) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
  }
}
