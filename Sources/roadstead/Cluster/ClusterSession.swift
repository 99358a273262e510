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
  private var leaseTasks: [Task<Void, Never>] = []
  private var isCandidate = true
  private var isConverging = false
  private var isStopped = false
  private let turns = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

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
    events = EventWriter(client: client, identity: options.identity, log: write)
    writer = ServiceWriter(
      client: client, events: events, loadBalancerClass: options.loadBalancerClass, isPaused: options.lease != nil,
      log: write)
  }

  /// Hands everything that the API server says to `send`, in order of each source, until ``stop()``.
  func start(_ send: @escaping @Sendable (Controller.Event) -> Void) async {
    self.send = send
    await watcher.start()
    let turns = turns.stream
    tasks.append(
      Task { [watcher] in
        var turn = turns.makeAsyncIterator()
        // One at a time: what changes meanwhile is one snapshot more, however much it is.
        while let snapshot = await watcher.next() {
          send(.cluster(snapshot))
          guard await turn.next() != nil else { return }
        }
      })
    await converge()
  }

  /// The last snapshot has been applied.
  nonisolated func applied() { turns.continuation.yield() }

  /// Whether this instance wants the Lease; it gives it back when it does not.
  func setCandidate(_ isCandidate: Bool) async {
    self.isCandidate = isCandidate
    await converge()
  }

  /// Takes part in the Lease, or no more, as is wanted last.
  private func converge() async {
    guard let settings = options.lease, let send, !isConverging else { return }
    isConverging = true
    defer { isConverging = false }
    while !isStopped, isCandidate != (keeper != nil) {
      guard let old = keeper else {
        let new = LeaseKeeper(client: client, settings: settings)
        keeper = new
        follow(new, send)
        await new.start()
        continue
      }
      // What it has said is in the queue before our word, and no more comes after it.
      for task in leaseTasks { task.cancel() }
      for task in leaseTasks { await task.value }
      leaseTasks = []
      send(.lease(.standby(holder: nil)))
      await old.release()
      await old.stop()
      keeper = nil
    }
  }

  private func follow(_ keeper: LeaseKeeper, _ send: @escaping @Sendable (Controller.Event) -> Void) {
    leaseTasks = [
      Task { for await status in keeper.statuses { send(.lease(status)) } },
      Task { [logger] in
        for await problem in keeper.problems {
          if let problem { logger.warning("\(problem)") }
        }
      },
    ]
  }

  /// What the Services are to say.
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

  /// Whether this instance writes. What it was told in a former tenure is forgotten.
  func setWriting(_ isWriting: Bool) async {
    guard !isStopped else { return }
    guard isWriting else { return await writer.pause() }
    if await writer.isPaused { await writer.forgetWishes() }
    await writer.resume()
  }

  /// Writes what is still to be written, for a moment, then lets another instance take over.
  func stop() async {
    guard !isStopped else { return }
    isStopped = true
    await writer.flush(within: 0.3)
    await writer.pause()
    await keeper?.release()
    await keeper?.stop()
    for task in tasks + leaseTasks { task.cancel() }
    turns.continuation.finish()
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
