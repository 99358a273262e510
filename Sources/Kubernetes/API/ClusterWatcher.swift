import Balancing

/// Follows a cluster: every kind that is wanted, listed once and watched from then on.
///
/// ``start()``, then ``next()`` again and again by one consumer, as slowly as it likes; ``stop()`` at the end. While
/// the API server is away the last known state stays, for as long as that takes.
///
/// ## Concurrency
///
/// An actor: it owns the store, and any task may call. One task runs for it with one child per kind (see
/// `Reflector`); ``stop()`` ends them, and until then they keep the watcher alive.
public actor ClusterWatcher {
  /// The kinds of `run`; `Pod` is one only where endpoints are made of Pods by selector.
  public static let defaultKinds: Set<ObjectKind> = [
    .service, .endpointSlice, .node, .namespace, .ipAddressPool, .l2Advertisement,
  ]

  private let client: APIClient
  private let clock: ClusterClock
  private let seed: UInt64
  private let log: @Sendable (String) -> Void

  private var state: ClusterState
  private var connection: ConnectionTracker
  private var hasConnectionNews = false
  // What each kind's trouble was when it was last told.
  private var troubles: [ObjectKind: WatchFailure] = [:]
  // Kinds that the cluster knew, and was last said not to know.
  private var vanished: Set<ObjectKind> = []

  private var reflectors: Task<Void, Never>?
  private var timer: Task<Void, Never>?
  private var isStopped = false
  private var waiting: CheckedContinuation<Void, Never>?

  /// - Parameter kinds: those to follow.
  /// - Parameter seed: of the jitter.
  /// - Parameter log: takes a line for each trouble that is a new one, and for its end.
  public init(
    client: APIClient, kinds: Set<ObjectKind> = ClusterWatcher.defaultKinds, clock: ClusterClock = .system,
    seed: UInt64 = .random(in: .min ... .max), log: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.client = client
    self.clock = clock
    self.seed = seed
    self.log = log
    state = ClusterState(kinds: kinds)
    connection = ConnectionTracker(kinds: kinds)
  }

  /// Begins to follow; a second call does nothing.
  public func start() {
    guard reflectors == nil, !isStopped else { return }
    var seeds = RandomSource(seed: seed)
    let all = state.kinds.sorted().map { kind in
      Reflector(kind: kind, client: client, clock: clock, random: RandomSource(seed: seeds.next()), watcher: self)
    }
    reflectors = Task {
      await withDiscardingTaskGroup { group in
        for reflector in all { group.addTask { await reflector.run() } }
      }
    }
  }

  /// Ends all tasks, and returns once they have ended. A waiting ``next()`` returns nil.
  public func stop() async {
    isStopped = true
    wake()
    reflectors?.cancel()
    timer?.cancel()
    await reflectors?.value
    await timer?.value
    reflectors = nil
    timer = nil
  }

  /// Waits until something has changed since the last call, and returns all that has: one snapshot, however much it
  /// was.
  ///
  /// The first one comes when every kind was listed once, or when the server turns out to be unreachable. For one
  /// consumer.
  ///
  /// - Returns: nil after ``stop()``, and when the calling task is cancelled.
  public func next() async -> ClusterSnapshot? {
    precondition(waiting == nil, "a ClusterWatcher has one consumer")
    while !isStopped, !Task.isCancelled {
      if isDue {
        hasConnectionNews = false
        return state.take(connection: connection.connection)
      }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          // Cancelled before there was anything to wake.
          if Task.isCancelled { continuation.resume() } else { waiting = continuation }
        }
      } onCancel: {
        Task { await self.wake() }
      }
    }
    return nil
  }

  /// What is known now, told or not.
  var known: ObjectStore { state.store }

  // Nobody can use half a list.
  private var isDue: Bool { hasConnectionNews || (state.isSynced && state.hasNews) }

  private func wake() {
    waiting?.resume()
    waiting = nil
  }

  private func changed() {
    let now = clock.seconds()
    if connection.evaluate(now: now, unixTime: clock.unixTime()) { hasConnectionNews = true }
    if timer == nil, !isStopped, let delay = connection.delay(now: now) {
      timer = Task { [clock] in
        await clock.sleep(delay)
        self.timerFired()
      }
    }
    if isDue { wake() }
  }

  private func timerFired() {
    timer = nil
    if !isStopped { changed() }
  }

  // MARK: What the reflectors tell

  /// A page of a list came.
  func take(_ page: ObjectPage, of kind: ObjectKind, isFirst: Bool, isLast: Bool) {
    if isFirst { state.beginList(kind) }
    state.take(page, of: kind)
    guard isLast else { return }
    state.endList(kind)
    vanished.remove(kind)
    // Whether it can be watched, too, is not known before it is.
    if troubles[kind]?.isDenial != true { state.setNote(nil, of: kind) }
    changed()
  }

  /// The server accepted a watch.
  func opened(_ kind: ObjectKind) {
    connection.opened(kind, now: clock.seconds())
    if troubles.removeValue(forKey: kind) != nil { log("\(kind.rawValue): watched again") }
    state.setNote(nil, of: kind)
    changed()
  }

  /// Events came, in that order.
  func take(_ events: [WatchEvent], of kind: ObjectKind) {
    for event in events { state.take(event) }
    connection.proved(kind)
    changed()
  }

  /// A list or a watch did not come, or ended in trouble.
  ///
  /// - Parameter verb: which of the two, as RBAC calls it.
  func failed(_ kind: ObjectKind, _ failure: WatchFailure, _ verb: String) {
    connection.failed(kind, failure, now: clock.seconds(), unixTime: clock.unixTime())
    let line = Self.note(kind, failure, verb)
    if !failure.isLike(troubles[kind]) { log(line) }
    troubles[kind] = failure
    // Out of reach is said by the connection, for all kinds at once.
    state.setNote(failure.isOutOfReach ? nil : line, of: kind)
    // Custom resources are for whoever has them; their pools may come from files.
    if failure.isDenial, !kind.isCore { state.setListed(kind) }
    changed()
  }

  /// The cluster does not know the kind. It is asked again, and only the second time it is believed of a kind that had
  /// objects: a server that has just started does not know its custom resources at once.
  func lacks(_ kind: ObjectKind) {
    var note = "\(kind.rawValue): the cluster does not know \(kind.apiVersion); asked again every 30 s"
    if state.hasObjects(of: kind), vanished.insert(kind).inserted {
      note += "; its last known objects are kept until then"
    } else {
      state.beginList(kind)
      state.endList(kind)
    }
    if troubles[kind] == nil { log(note) }
    troubles[kind] = .refused(APIError(code: 404, message: ""))
    state.setNote(note, of: kind)
    changed()
  }

  private static func note(_ kind: ObjectKind, _ failure: WatchFailure, _ verb: String) -> String {
    var note = "\(kind.rawValue): \(verb) failed: \(failure)"
    if failure.isForbidden {
      let resource = kind.group.isEmpty ? kind.resource : "\(kind.resource).\(kind.group)"
      note += "; needs a ClusterRole with the verbs list and watch on \(resource)"
    }
    return note
  }
}
