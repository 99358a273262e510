import Addresses
import TestKit

@testable import Announcing

/// A claim with a clock that is set by hand, and what it wanted done.
struct ClaimBench {
  static let own = mac("02:00:00:00:00:0a")
  static let lower = mac("02:00:00:00:00:01")
  static let higher = mac("02:00:00:00:00:99")
  static let refusal = AnnouncementObstacle.system("no")

  /// Unix time at second 0 of the clock.
  static let epoch = 1_700_000_000

  private var random = SeededRandom(seed: 1)
  private(set) var claim: AddressClaim
  private(set) var now = 0.0
  /// The clock in hundredths of a second, and what was done then.
  private(set) var done: [(at: Int, action: AddressClaim.Action)] = []

  init(
    _ address: String = "192.0.2.9", mac: MACAddress = own, tenure: Tenure = .alone, times: ClaimTimes = ClaimTimes()
  ) {
    claim = AddressClaim(ip(address), mac: mac, times: times, tenure: tenure)
  }

  /// A claim that has held its address for `seconds`, with nothing noted yet.
  static func held(
    _ address: String = "192.0.2.9", mac: MACAddress = own, tenure: Tenure = .alone, times: ClaimTimes = ClaimTimes(),
    for seconds: Double = 0
  ) -> ClaimBench {
    var bench = ClaimBench(address, mac: mac, tenure: tenure, times: times)
    bench.hand(.start(adopting: true))
    bench.run(until: seconds)
    bench.done = []
    return bench
  }

  /// Hands in an event; returns what is to be done.
  @discardableResult
  mutating func hand(_ event: AddressClaim.Event) -> [AddressClaim.Action] {
    var actions: [AddressClaim.Action] = []
    claim.handle(event, now: now, unixTime: Self.epoch + Int(now), using: &random, actions: &actions)
    done += actions.map { (Int((now * 100).rounded()), $0) }
    return actions
  }

  @discardableResult
  mutating func see(_ kind: Sighting.Kind, by mac: MACAddress = higher) -> [AddressClaim.Action] {
    hand(.sighted(kind, by: mac))
  }

  /// Lets time pass with a loop that is in time, handing in `answers` of a rival by the clock.
  mutating func run(until end: Double, answers: [Double] = [], by mac: MACAddress = higher) {
    var answers = answers[...]
    while true {
      let next = min(claim.deadline ?? .infinity, answers.first ?? .infinity)
      guard next <= end else { break }
      now = max(now, next)
      if answers.first == next {
        answers.removeFirst()
        see(.answer, by: mac)
      } else {
        hand(.due)
      }
    }
    now = end
  }

  /// Lets time pass with a loop that stands still.
  mutating func stall(until end: Double) { now = end }

  /// When `action` was to be done, in hundredths of a second.
  func times(of action: AddressClaim.Action) -> [Int] { done.filter { $0.action == action }.map(\.at) }

  mutating func forget() { done = [] }
}
