import Announcing
import Kubernetes

/// What the L2Advertisements say, to the process on one node.
///
/// Source: MetalLB's `metallb.io/v1beta1` L2Advertisement and its `speaker/layer2_controller.go`.
struct AdvertisementRules: Sendable {
  /// By name.
  private let advertisements: [L2Advertisement]
  private let nodeName: String?
  /// The labels of this process's Node; nil where it is not known.
  private let nodeLabels: [String: String]?
  /// Why nothing at all is announced from this node.
  let nodeProblem: UnannouncedReason?

  init(_ store: ObjectStore, nodeName: String?) {
    advertisements = store.l2Advertisements.values.map(\.object)
      .sorted { $0.metadata.namespacedName < $1.metadata.namespacedName }
    self.nodeName = nodeName
    let node = nodeName.flatMap { store.nodes[NamespacedName(namespace: "", name: $0)]?.object }
    nodeLabels = node?.metadata.labels
    nodeProblem = node.flatMap { node in
      if node.isExcludedFromLoadBalancers { return .nodeExcluded(node.metadata.name) }
      return node.isNetworkUnavailable ? .networkUnavailable(node: node.metadata.name) : nil
    }
  }

  /// Whether nothing may be announced from this node: for its own sake, or because all advertisements leave it out.
  var excludesNode: Bool {
    if nodeProblem != nil { return true }
    guard let nodeLabels, !advertisements.isEmpty else { return false }
    return advertisements.allSatisfy { !$0.nodeSelectors.selects(nodeLabels) }
  }

  /// The interfaces of all advertisements that select the pool, one of the Services, by their labels, and this node.
  func verdict(
    pool: (name: String, labels: [String: String]), services: [[String: String]]
  ) -> Result<InterfaceScope, UnannouncedReason> {
    if let nodeProblem { return .failure(nodeProblem) }
    let selecting = advertisements.filter { $0.selects(pool: pool.name, labels: pool.labels) }
    guard !selecting.isEmpty else { return .failure(.poolNotSelected(pool.name)) }
    var scope: InterfaceScope?
    var leavingOut: [UnannouncedReason.Advertisement] = []
    for advertisement in selecting {
      if let mismatch = mismatch(advertisement, services: services) {
        leavingOut.append(UnannouncedReason.Advertisement(name: advertisement.metadata.name, mismatch: mismatch))
      } else {
        let interfaces = advertisement.interfaceScope
        scope = scope?.union(interfaces) ?? interfaces
      }
    }
    guard let scope else { return .failure(.leftOut(pool: pool.name, leavingOut)) }
    return .success(scope)
  }

  private func mismatch(
    _ advertisement: L2Advertisement, services: [[String: String]]
  ) -> UnannouncedReason.Mismatch? {
    guard services.contains(where: advertisement.serviceSelectors.selects) else { return .service(of: services.count) }
    if advertisement.nodeSelectors.isEmpty { return nil }
    guard let nodeName else { return .nodeNotNamed }
    guard let nodeLabels else { return .nodeNotKnown(nodeName) }
    return advertisement.nodeSelectors.selects(nodeLabels) ? nil : .node(nodeName)
  }
}

extension [LabelSelector] {
  /// Whether one of them matches; none at all selects everything.
  fileprivate func selects(_ labels: [String: String]) -> Bool { isEmpty || contains { $0.matches(labels) } }
}

extension L2Advertisement {
  fileprivate var interfaceScope: InterfaceScope { interfaces.isEmpty ? .fitting : .named(Set(interfaces)) }

  /// Whether it is for the pool of this name and these labels.
  func selects(pool name: String, labels: [String: String]) -> Bool {
    if ipAddressPools.isEmpty, ipAddressPoolSelectors.isEmpty { return true }
    return ipAddressPools.contains(name) || ipAddressPoolSelectors.contains { $0.matches(labels) }
  }
}

extension ObjectStore {
  /// Warnings for L2Advertisements that name a pool that is not there, select none, or prefer nodes.
  var advertisementProblems: [ManifestProblem] {
    let pools = ipAddressPools.values.map(\.object.metadata)
    let stored = l2Advertisements.sorted { $0.key < $1.key }.map(\.value)
    return stored.flatMap { stored in
      let advertisement = stored.object
      func warning(_ field: String, _ message: String) -> ManifestProblem {
        ManifestProblem(
          .warning, file: stored.source.file, line: stored.source.line, kind: "L2Advertisement",
          namespace: advertisement.metadata.namespace, name: advertisement.metadata.name, field: field,
          message: message)
      }
      let preference =
        advertisement.hasPreferredNodes
        ? [warning("spec.preferredNodeSelectors", "has no effect: it is understood with the Kubernetes API only")] : []
      let unknown = advertisement.ipAddressPools.filter { name in !pools.contains { $0.name == name } }
      let isUsed = pools.contains { advertisement.selects(pool: $0.name, labels: $0.labels) }
      let nothing = isUsed || !unknown.isEmpty ? [] : [warning("", "selects no pool")]
      return preference + nothing
        + unknown.map { warning("spec.ipAddressPools", "there is no IPAddressPool '\($0)'") }
    }
  }
}
