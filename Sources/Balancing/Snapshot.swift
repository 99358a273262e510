/// All that the data plane is to serve, at one moment. Immutable; handed to every shard.
public struct Snapshot: Sendable {
  /// By the names of the Services, each Service's ports in its order.
  public let ports: [ServedPort]

  /// With nothing to serve.
  public init() { ports = [] }

  init(ports: [ServedPort]) { self.ports = ports }

  /// The ports of `before` that are not in this one, and those of this one that were not there: all that is to be
  /// looked at to get from the one to the other. Ports are compared by identity.
  public func changes(since before: Snapshot) -> (gone: [ServedPort], new: [ServedPort]) {
    // Mostly one port is another: what is the same at both ends is not worth a set.
    var (first, end, beforeEnd) = (0, ports.count, before.ports.count)
    while first < min(end, beforeEnd), ports[first] === before.ports[first] { first += 1 }
    while first < min(end, beforeEnd), ports[end - 1] === before.ports[beforeEnd - 1] {
      end -= 1
      beforeEnd -= 1
    }
    let (new, old) = (ports[first..<end], before.ports[first..<beforeEnd])
    let stay = Set(new.lazy.map(ObjectIdentifier.init)).intersection(old.lazy.map(ObjectIdentifier.init))
    return (old.filter { !stay.contains(ObjectIdentifier($0)) }, new.filter { !stay.contains(ObjectIdentifier($0)) })
  }

  /// Where `port` is in ``ports``; their number when it is not.
  public func place(of port: ServedPort) -> Int {
    var place = ports.placeOfFirst(of: port.port.service)
    while place < ports.count, ports[place] !== port { place += 1 }
    return place
  }
}

extension [ServedPort] {
  /// The first place whose port is of no Service before `service`, of ports that are sorted by their Services' names.
  func placeOfFirst(of service: String) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].port.service < service { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
