/// Who holds one address, and what another would have to agree with.
struct AddressUse: Equatable, Sendable {
  /// Of all holders: they agree on both.
  private var sharingKey: String?
  private var localPolicySelector = ""
  private(set) var users: Set<ServiceName> = []
  /// Which holder has which port.
  private var ports: [AddressRequest.Port: ServiceName] = [:]

  var isEmpty: Bool { users.isEmpty }

  /// Under which of the keys other Services may look for this address.
  var sharingGroup: SharingGroup? {
    guard !users.isEmpty, let sharingKey else { return nil }
    return SharingGroup(key: sharingKey, localPolicySelector: localPolicySelector)
  }

  /// Why `request` cannot hold the address as well; its own hold does not count when it is the only one.
  func conflict(with request: AddressRequest) -> SharingConflict? {
    if users.isEmpty || (users.count == 1 && users.contains(request.id)) { return nil }
    guard let sharingKey, let key = request.effectiveSharingKey else { return .exclusive(holder: holder(but: request)) }
    guard sharingKey == key else { return .otherKey(holder: holder(but: request), key: sharingKey) }
    guard localPolicySelector == request.localPolicySelector else {
      return .otherSelector(holder: holder(but: request))
    }
    let clashes = request.ports.compactMap { port in ports[port].map { (port, $0) } }.filter { $0.1 != request.id }
    guard let (port, holder) = clashes.min(by: { $0.0 < $1.0 }) else { return nil }
    return .portTaken(port, holder: holder)
  }

  /// Adds a Service that has no conflict.
  mutating func add(_ request: AddressRequest) {
    if users.isEmpty {
      sharingKey = request.effectiveSharingKey
      localPolicySelector = request.localPolicySelector
    }
    users.insert(request.id)
    for port in request.ports { ports[port] = request.id }
  }

  /// Removes a Service; `request` is as it was when it was added.
  mutating func remove(_ request: AddressRequest) {
    guard users.remove(request.id) != nil else { return }
    for port in request.ports where ports[port] == request.id { ports[port] = nil }
  }

  private func holder(but request: AddressRequest) -> ServiceName {
    users.filter { $0 != request.id }.min() ?? request.id
  }
}

/// What Services must have in common to share an address.
struct SharingGroup: Hashable, Sendable {
  let key: String
  let localPolicySelector: String
}
