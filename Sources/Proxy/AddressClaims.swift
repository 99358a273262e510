import Balancing

/// Which ports of the last ``Snapshot`` want which address. Kept from one to the next, so that an edit costs what it
/// changes and not what there is. The ``DataPlane`` has one.
struct AddressClaims {
  private var snapshot = Snapshot()
  private var ports: [ListenAddress: [ServedPort]] = [:]

  /// Goes on to `next`. Returns the addresses that another port may have now: nothing else need be looked at.
  mutating func update(to next: Snapshot) -> Set<ListenAddress> {
    let (gone, new) = next.changes(since: snapshot)
    snapshot = next
    var changed: Set<ListenAddress> = []
    for port in gone {
      for address in port.addresses {
        ports[address]?.removeAll { $0 === port }
        if ports[address]?.isEmpty == true { ports[address] = nil }
        changed.insert(address)
      }
    }
    for port in new {
      for address in port.addresses {
        ports[address, default: []].append(port)
        changed.insert(address)
      }
    }
    return changed
  }

  /// The ports that want `address`, in the order of the snapshot: the first has it.
  func claimants(of address: ListenAddress) -> [ServedPort] {
    let all = ports[address] ?? []
    return all.count < 2 ? all : all.sorted { snapshot.place(of: $0) < snapshot.place(of: $1) }
  }
}
