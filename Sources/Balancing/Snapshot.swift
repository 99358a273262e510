/// All that the data plane is to serve, at one moment. Immutable; handed to every shard.
public struct Snapshot: Sendable {
  /// By the names of the Services, each Service's ports in its order.
  public let ports: [ServedPort]

  /// With nothing to serve.
  public init() { ports = [] }

  init(ports: [ServedPort]) { self.ports = ports }

  /// The addresses of the ports that are in only one of the two: nothing else need be looked at to get from the other
  /// to this. Ports are compared by identity.
  public func addresses(changedSince before: Snapshot) -> Set<ListenAddress> {
    // Mostly one port is another: what is the same at both ends is not worth a set.
    var (first, end, beforeEnd) = (0, ports.count, before.ports.count)
    while first < min(end, beforeEnd), ports[first] === before.ports[first] { first += 1 }
    while first < min(end, beforeEnd), ports[end - 1] === before.ports[beforeEnd - 1] {
      end -= 1
      beforeEnd -= 1
    }
    let (new, old) = (ports[first..<end], before.ports[first..<beforeEnd])
    let stay = Set(new.lazy.map(ObjectIdentifier.init)).intersection(old.lazy.map(ObjectIdentifier.init))
    var changed: Set<ListenAddress> = []
    for port in new + old where !stay.contains(ObjectIdentifier(port)) { changed.formUnion(port.addresses) }
    return changed
  }
}
