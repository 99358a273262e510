import Addresses

/// Addresses that a process before this one left on interfaces.
///
/// One that is wanted again is adopted: it never goes away. One that is not is taken off as soon as it shows that no
/// other process renews it; the kernel would do the same some seconds later.
struct Leftovers {
  /// Longer than the time between two renewals, whatever lifetime the other process chose.
  private static let patience = ClaimTimes().renewal + 1

  /// When each was last put or renewed, in seconds of the loop's clock.
  private var renewed: [AddressPlace: Double] = [:]

  init() {}

  /// All that look as Roadstead puts them.
  init(_ links: LinkTable, now: Double) {
    for link in links.all {
      for held in link.addresses where held.isOfRoadstead {
        renewed[AddressPlace(address: held.address, index: link.index)] = now
      }
    }
  }

  var isEmpty: Bool { renewed.isEmpty }

  /// When one is to be looked at; nil while there are none.
  var deadline: Double? { renewed.values.min().map { ClaimTimes.roundedUp($0 + Self.patience) } }

  /// Notes that the kernel told of the address: somebody renewed it.
  mutating func sawRenewal(of place: AddressPlace, now: Double) {
    if renewed[place] != nil { renewed[place] = now }
  }

  /// Takes one out, because it is wanted or gone; whether it was there.
  mutating func take(_ place: AddressPlace) -> Bool { renewed.removeValue(forKey: place) != nil }

  /// Takes out those that nobody renews.
  mutating func takeAbandoned(now: Double) -> [AddressPlace] {
    let abandoned = renewed.filter { now - $0.value >= Self.patience }.keys
    for place in abandoned { renewed[place] = nil }
    return abandoned.sorted { ($0.address, $0.index) < ($1.address, $1.index) }
  }
}
