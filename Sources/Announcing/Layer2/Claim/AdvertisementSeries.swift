/// When an address is advertised: at once, some times more while caches may hold another, then seldom.
struct AdvertisementSeries: Hashable, Sendable {
  private let start: Double
  /// When the next is due, in seconds of the loop's clock.
  private(set) var next: Double

  /// A series whose first is due at `start`.
  init(from start: Double) {
    self.start = start
    next = start
  }

  /// Notes that one was sent at `now`. What a late loop missed is not made up for.
  mutating func sent(now: Double, _ times: ClaimTimes) {
    let place = ((now - start) / times.firstAdvertisements + 1e-6).rounded(.down) + 1
    let following = place * times.firstAdvertisements
    next = ClaimTimes.roundedUp(
      following < times.firstAdvertisementsEnd ? start + following : now + times.laterAdvertisements)
  }
}
