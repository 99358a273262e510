/// Which objects of one namespace carry which label, so that a selector need not look at all of them.
struct LabelIndex: Sendable {
  private struct Label: Hashable {
    let key: String
    let value: String
  }

  private(set) var names: Set<NamespacedName> = []
  private var carriers: [Label: Set<NamespacedName>] = [:]

  var isEmpty: Bool { names.isEmpty }

  mutating func insert(_ name: NamespacedName, _ labels: [String: String]) {
    names.insert(name)
    for (key, value) in labels { carriers[Label(key: key, value: value), default: []].insert(name) }
  }

  mutating func remove(_ name: NamespacedName, _ labels: [String: String]) {
    names.remove(name)
    for (key, value) in labels {
      let label = Label(key: key, value: value)
      carriers[label]?.remove(name)
      if carriers[label]?.isEmpty == true { carriers[label] = nil }
    }
  }

  /// The objects that carry the rarest label of `selector`: no more than these can match.
  func candidates(_ selector: [String: String]) -> Set<NamespacedName> {
    var rarest: Set<NamespacedName>?
    for (key, value) in selector {
      guard let some = carriers[Label(key: key, value: value)] else { return [] }
      if some.count < rarest?.count ?? .max { rarest = some }
    }
    return rarest ?? []
  }
}
