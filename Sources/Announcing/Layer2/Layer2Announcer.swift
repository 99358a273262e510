import Addresses
import EventLoop

/// Announces addresses on the LAN by ARP and neighbour discovery, on a thread and loop of its own.
///
/// Any thread may use it. The work is ``Layer2Speaker``'s.
public final class Layer2Announcer: Announcer {
  public let name = "layer2"
  public let changes: AsyncStream<AnnouncementStatus>
  private let thread: LoopThread
  private let speaker: LoopBound<Layer2Speaker>
  private let send: AsyncStream<AnnouncementStatus>.Continuation

  private init(
    thread: LoopThread, speaker: LoopBound<Layer2Speaker>, changes: AsyncStream<AnnouncementStatus>,
    send: AsyncStream<AnnouncementStatus>.Continuation
  ) {
    self.thread = thread
    self.speaker = speaker
    self.changes = changes
    self.send = send
  }

  /// Starts the thread. `seconds`: how long an address is probed before it is taken. `lifetime`: after how many seconds the
  /// kernel takes addresses away when this process has died, from 1 to 8; they are renewed four times as often.
  ///
  /// Throws an ``AnnouncementObstacle`` where the process may not do what it takes, an `Errno` without a thread.
  public static func start(probing seconds: Double = 0.6, lifetime: UInt32 = 8) async throws -> Layer2Announcer {
    let thread = try LoopThread(name: "announcer")
    let (changes, send) = AsyncStream<AnnouncementStatus>.makeStream()
    var times = ClaimTimes()
    times.probing = seconds
    times.lifetime = min(max(lifetime, 1), ClaimTimes.longestLifetime)
    do {
      let speaker = try await thread.loop.make { [times] loop in
        try Layer2Speaker(loop: loop, times: times) { send.yield($0) }
      }
      return Layer2Announcer(thread: thread, speaker: speaker, changes: changes, send: send)
    } catch {
      thread.stopAndJoin()
      throw error
    }
  }

  public func announce(_ announcements: [Announcement]) { speaker.submit { $0.announce(announcements) } }

  public func setTenure(_ tenure: Tenure) { speaker.submit { $0.setTenure(tenure) } }

  public func statuses() async -> [IPAddress: [AnnouncementStatus]] {
    await withCheckedContinuation { continuation in
      speaker.submit { continuation.resume(returning: $0.statuses) }
    }
  }

  public func drops() async -> [String: UInt64] {
    await withCheckedContinuation { continuation in
      speaker.submit { continuation.resume(returning: $0.drops) }
    }
  }

  public func stop() async {
    await withCheckedContinuation { continuation in
      speaker.submit {
        $0.announce([])
        continuation.resume()
      }
    }
    send.finish()
  }
}
