import Addresses

extension Service {
  /// Names the pool that the address came from. MetalLB's name for it, so that one can move to and fro.
  static let poolAnnotation = "metallb.io/ip-allocated-from-pool"
  /// Our conditions' types begin with it.
  static let conditionPrefix = "roadstead.dev/"
  /// The `ipMode` that keeps kube-proxy away from an address.
  static let proxyMode = "Proxy"

  /// Whether an instance of this program, this one or an earlier, has written to the status.
  var carriesMarks: Bool { hasOurConditions || hasOurAddresses }

  /// Whether such an instance has given the addresses. Its conditions alone do not say so: they may tell why it gave none.
  var hasOurAddresses: Bool {
    metadata.annotations[Self.poolAnnotation] != nil
      && (hasOurConditions || status.ingress.contains { $0.ipMode == Self.proxyMode })
  }

  private var hasOurConditions: Bool { status.conditions.contains { $0.isOurs } }

  /// Whether all its addresses are another load balancer's that says so by MetalLB's annotation, and `addresses` has
  /// none of them. A Service that is moved from MetalLB keeps its address, and is then not held by another.
  func isHeldByAnother(than addresses: [IPAddress]) -> Bool {
    let theirs = status.ingress.compactMap(\.ip)
    return !theirs.isEmpty && !carriesMarks && metadata.annotations[Self.poolAnnotation] != nil
      && !theirs.contains { addresses.contains($0) }
  }
}

extension Service.Condition {
  var isOurs: Bool { type.hasPrefix(Service.conditionPrefix) }
}
