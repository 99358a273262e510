/// Sends Events about Services, one after another, in the order of their posting.
///
/// Nothing waits for it, and nothing is retried for ever: an event that cannot be sent is dropped, counted, and its cause
/// is logged once. Any task may use it.
public actor EventWriter {
  /// What became of the events, since the start.
  public struct Counts: Hashable, Sendable {
    /// Requests that the server accepted.
    public var sent = 0
    /// Held back by the spam filter.
    public var filtered = 0
    /// Given up: the queue was full, or the server did not take them.
    public var dropped = 0
  }

  /// Events that wait at most; beyond it the oldest is dropped.
  static let capacity = 1000
  /// Seconds within which the same thing again is only counted.
  static let window = 600.0
  /// Records kept for that.
  private static let recordCapacity = 4096
  /// Tries at most, as client-go.
  private static let maximalTries = 12

  public private(set) var counts = Counts()
  private let client: APIClient
  private let identity: String
  private let clock: WriterClock
  private let log: WriteLog
  private var records: [EventRecord.Key: EventRecord] = [:]
  private var queue: [EventRecord.Key] = []
  private var filter = EventSpamFilter()
  private var isSending = false
  private var isWaiting = false
  private var loggedCauses: Set<String> = []
  // Two events of one nanosecond, or of a clock that was set back, must not have one name.
  private var lastStamp = 0

  /// `identity` is this process's, as in the Lease.
  public init(
    client: APIClient, identity: String, clock: WriterClock = .system, log: @escaping WriteLog = { _, _ in }
  ) {
    self.client = client
    self.identity = identity
    self.clock = clock
    self.log = log
  }

  /// Queues an event about `service`; never waits for the server.
  public func post(_ event: ServiceReport.Event, about service: Service) {
    post(
      event, about: ObjectReference(.service, service.metadata.namespacedName), uid: service.metadata.uid,
      resourceVersion: service.metadata.resourceVersion)
  }

  /// Queues an event about an object in a namespace, of which no more may be known than its name.
  public func post(
    _ event: ServiceReport.Event, about object: ObjectReference, uid: String? = nil, resourceVersion: String? = nil
  ) {
    let now = clock.uptime()
    let name = object.name
    guard filter.allows(uid ?? object.description, now: now) else {
      counts.filtered += 1
      return
    }
    let key = EventRecord.Key(
      kind: object.kind, uid: uid, object: name, isWarning: event.isWarning, reason: event.reason,
      message: event.message.truncated(toBytes: EventRecord.longestMessage))
    if var record = records[key], now - record.time < Self.window {
      record.count += 1
      record.time = now
      record.lastTimestamp = clock.text
      let wasQueued = record.isQueued
      record.isQueued = true
      records[key] = record
      if wasQueued { return }
    } else {
      // The old one of this key, where it still waits, is replaced in its place.
      let wasQueued = records[key]?.isQueued == true
      if records.count >= Self.recordCapacity { forgetOldRecords(now) }
      let text = clock.text
      records[key] = EventRecord(
        key: key, resourceVersion: resourceVersion, name: eventName(name), firstTimestamp: text,
        lastTimestamp: text, time: now)
      if wasQueued { return }
    }
    queue.append(key)
    if queue.count > Self.capacity {
      drop(queue.removeFirst())
      logOnce(.warning, "queue", "over \(Self.capacity) events wait to be sent: the oldest are dropped")
    }
    startSending()
  }

  /// Waits until all are sent, for so many seconds at most; says whether they are.
  @discardableResult
  public func flush(within seconds: Double) async -> Bool {
    let deadline = clock.uptime() + seconds
    while !queue.isEmpty, clock.uptime() < deadline { await clock.sleep(min(0.02, seconds)) }
    return queue.isEmpty
  }

  /// Whether nothing can be done before time has passed.
  var isIdle: Bool { isWaiting || !isSending }

  private func startSending() {
    guard !isSending else { return }
    isSending = true
    Task { await sendAll() }
  }

  private func sendAll() async {
    var delay = 1.0
    while let key = queue.first {
      do {
        let count = try await send(key)
        delay = 1
        finish(key, sent: count)
      } catch {
        guard retries(key, after: error) else { continue }
        isWaiting = true
        await clock.sleep(max(delay, error.retryAfter ?? 0))
        isWaiting = false
        delay = min(delay * 2, 30)
      }
    }
    isSending = false
  }

  // Returns the count that the server has now; 0 for an event that was dropped.
  private func send(_ key: EventRecord.Key) async throws(APIError) -> Int {
    guard let record = records[key] else { return 0 }
    let path = "/api/v1/namespaces/\(key.object.namespace)/events"
    if record.isCreated {
      do {
        _ = try await client.patch("\(path)/\(record.name)", record.again.bytes)
        counts.sent += 1
        return record.count
      } catch {
        // The API server forgets events after an hour, or whoever cleans up did.
        guard error.isNotFound else { throw error }
      }
    }
    do {
      _ = try await client.create(path, record.object(identity: identity).bytes)
    } catch {
      // The name is ours alone: an earlier try has arrived, only its answer has not.
      guard error.isConflict else { throw error }
    }
    counts.sent += 1
    if records[key]?.name == record.name { records[key]?.isCreated = true }
    return record.count
  }

  // Takes it off the queue. What happened again while it was being sent is told after the others.
  private func finish(_ key: EventRecord.Key, sent count: Int) {
    guard queue.first == key else { return }
    queue.removeFirst()
    guard let record = records[key] else { return }
    records[key]?.failures = 0
    if record.count > count { queue.append(key) } else { records[key]?.isQueued = false }
  }

  // Whether the same event is to be tried once more.
  private func retries(_ key: EventRecord.Key, after error: APIError) -> Bool {
    let isPassing = error.code == 0 || error.code == 429 || error.code >= 500
    records[key]?.failures += 1
    if isPassing, let record = records[key], record.failures < Self.maximalTries {
      if record.failures == 1 { logOnce(.info, "away", "events wait: \(error)") }
      return true
    }
    // The queue may have dropped it meanwhile, and have another at its head.
    if queue.first == key { queue.removeFirst() }
    drop(key)
    let hint = error.isDenied ? " (RBAC: create and patch events)" : ""
    logOnce(.warning, "\(error.code) \(error.reason)", "events cannot be written: \(error)\(hint)")
    return false
  }

  private func drop(_ key: EventRecord.Key) {
    records[key] = nil
    counts.dropped += 1
  }

  private func logOnce(_ level: WriteLogLevel, _ cause: String, _ message: String) {
    if loggedCauses.insert(cause).inserted { log(level, message) }
  }

  private func forgetOldRecords(_ now: Double) {
    records = records.filter { $0.value.isQueued || now - $0.value.time < Self.window }
    // Those that are not queued only save requests.
    if records.count >= Self.recordCapacity { records = records.filter(\.value.isQueued) }
  }

  private func eventName(_ service: NamespacedName) -> String {
    lastStamp = max(lastStamp + 1, Int(clock.unixTime() * 1e9))
    return "\(service.name).\(String(lastStamp, radix: 16))"
  }
}
