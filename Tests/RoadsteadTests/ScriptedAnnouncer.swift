import Addresses
import Announcing
import Logging
import Synchronization

/// An announcer that does what the test says: it records what it is told, and tells what it is given to tell.
final class ScriptedAnnouncer: Announcer {
  /// What it was told.
  enum Call: Hashable, Sendable {
    case announce([IPAddress])
    case stop
  }

  let name = "layer2"
  let changes: AsyncStream<AnnouncementStatus>
  private let send: AsyncStream<AnnouncementStatus>.Continuation
  private let recorded = Mutex<[Call]>([])
  private let all = Mutex<[IPAddress: [AnnouncementStatus]]>([:])
  private let whenTold: @Sendable ([IPAddress]) -> Void
  private let stopSeconds: Double

  /// `whenTold` runs inside of each ``announce(_:)``; ``stop()`` takes `stopSeconds`.
  init(stopSeconds: Double = 0, whenTold: @escaping @Sendable ([IPAddress]) -> Void = { _ in }) {
    (changes, send) = AsyncStream.makeStream()
    self.whenTold = whenTold
    self.stopSeconds = stopSeconds
  }

  var calls: [Call] { recorded.withLock { $0 } }

  /// Tells of a change, and keeps it.
  func tell(_ status: AnnouncementStatus) {
    all.withLock { all in
      all[status.address, default: []].removeAll { $0.interface == status.interface }
      all[status.address, default: []].append(status)
    }
    send.yield(status)
  }

  func announce(_ announcements: [Announcement]) {
    let addresses = announcements.map(\.address)
    whenTold(addresses)
    recorded.withLock { $0.append(.announce(addresses)) }
  }

  func stop() async {
    recorded.withLock { $0.append(.stop) }
    try? await Task.sleep(for: .seconds(stopSeconds))
    send.finish()
  }

  func statuses() async -> [IPAddress: [AnnouncementStatus]] { all.withLock { $0 } }

  func drops() async -> [String: UInt64] { ["not-announced": 3] }
}

/// Keeps log lines as `level: text`.
struct LogKeeper: LogHandler {
  final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
  }

  let lines: Lines
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  init(_ lines: Lines) { self.lines = lines }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.append("\(event.level): \(event.message)") }
}
