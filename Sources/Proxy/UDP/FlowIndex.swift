/// Finds flows by the hashes of their keys: open addressing with linear probing, at most half full. Loop only.
///
/// Memory of its own, so that looking one up counts no reference. It never shrinks.
final class FlowIndex {
  private struct Place {
    var hash: UInt32
    // -1 is free.
    var id: Int32
  }

  private static let freePlace = Place(hash: 0, id: -1)

  private let seed = FlowKey.Seed()
  private let places = FlatArray(repeating: freePlace, count: 64)
  private(set) var count = 0

  /// The flow that has the key, as `isIt` says of one with the same hash; -1 for none.
  func find(_ key: FlowKey, isIt: (_ id: Int) -> Bool) -> Int {
    let hash = key.hash(seed)
    let mask = places.count - 1
    var at = Int(hash) & mask
    while true {
      let place = places[at]
      if place.id < 0 || place.hash == hash && isIt(Int(place.id)) { return Int(place.id) }
      at = (at + 1) & mask
    }
  }

  /// Takes a flow in whose key is not there yet.
  func insert(_ key: FlowKey, _ id: Int) {
    if 2 * (count + 1) > places.count { grow() }
    put(Place(hash: key.hash(seed), id: Int32(id)))
    count += 1
  }

  /// Takes a flow out. It must be there.
  func remove(_ key: FlowKey, _ id: Int) {
    let mask = places.count - 1
    var hole = Int(key.hash(seed)) & mask
    while places[hole].id != Int32(id) {
      precondition(places[hole].id >= 0, "no such flow")
      hole = (hole + 1) & mask
    }
    // Those after it that the hole would cut off from where they are looked for move up.
    var at = hole
    while true {
      at = (at + 1) & mask
      let place = places[at]
      guard place.id >= 0 else { break }
      let way = (at - Int(place.hash)) & mask
      if way >= (at - hole) & mask {
        places[hole] = place
        hole = at
      }
    }
    places[hole] = Self.freePlace
    count -= 1
  }

  private func put(_ new: Place) {
    let mask = places.count - 1
    var at = Int(new.hash) & mask
    while places[at].id >= 0 { at = (at + 1) & mask }
    places[at] = new
  }

  private func grow() {
    let taken = places.indices.compactMap { places[$0].id >= 0 ? places[$0] : nil }
    places.fill(with: Self.freePlace, count: 2 * places.count)
    for place in taken { put(place) }
  }
}
