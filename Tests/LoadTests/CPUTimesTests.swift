import Foundation
import TestKit
import Testing

@testable import roadstead_load

@Suite(.serialized, .timeLimit(.minutes(1))) struct CPUTimesTests {
  private struct Figures: Decodable {
    let watched: [String: Double]
    let own: Double
  }

  /// Uses a core for so long, by the calling thread's own clock.
  private static func burn(seconds: Double) {
    var now = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    let end = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9 + seconds
    while Double(now.tv_sec) + Double(now.tv_nsec) / 1e9 < end { unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) }
  }

  @Test func `a thread that ends leaves what it used with its process`() throws {
    let pid = Int(getpid())
    let (hasBurnt, mayEnd) = (Mailbox<Bool>(), Mailbox<Bool>())
    let thread = try TestThread {
      Self.burn(seconds: 0.3)
      hasBurnt.post(true)
      _ = try? mayEnd.next(within: .seconds(10))
    }
    _ = try hasBurnt.next()
    let before = try CPUTimes.read(watching: [pid])
    mayEnd.post(true)
    thread.join()
    Self.burn(seconds: 0.1)
    let after = try CPUTimes.read(watching: [pid])
    let used = try JSONDecoder().decode(Figures.self, from: Data(after.json(since: before).utf8))
    // This process watches itself: both clocks tell the same but for the moment between them.
    let watched = try #require(used.watched["\(pid)"])
    #expect(abs(watched - used.own) < 0.1, "\(watched) s as watched, \(used.own) s by its own clock")
    #expect(after.idle(since: before) == [])
  }

  @Test(arguments: [0, -1, -5, 4_194_305, 1 << 29 | 1, 1 << 40]) func `no other number is a process`(pid: Int) {
    #expect(throws: (any Error).self) { try CPUTimes.read(watching: [pid]) }
  }
}
