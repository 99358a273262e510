import Addresses
import Announcing
import Kubernetes

extension Plan {
  /// Whether a Service has an address that anyone but this host could ask for.
  var hasAddressesToAnnounce: Bool { holders.keys.contains { !$0.isLoopback } }

  /// Warnings for what would not be announced, of pools that Services use and of nodeSelectors, for who checks files; a
  /// process says it of each address.
  func announcementProblems(_ store: ObjectStore, nodeName: String?) -> [ManifestProblem] {
    unselectedPools(store) + unmatchedNodeSelectors(store, nodeName)
  }

  private func unselectedPools(_ store: ObjectStore) -> [ManifestProblem] {
    let advertisements = store.l2Advertisements.values.map(\.object)
    // That there is none is said once.
    guard !advertisements.isEmpty else { return [] }
    var services: [String: Set<ServiceName>] = [:]
    for address in holders.keys where !address.isLoopback {
      guard let claim = claim(on: address) else { continue }
      services[claim.pool, default: []].formUnion(claim.services.map(\.name))
    }
    return store.ipAddressPools.sorted { $0.key < $1.key }.compactMap { _, pool in
      let metadata = pool.object.metadata
      guard let users = services[metadata.name], !users.isEmpty,
        !advertisements.contains(where: { $0.selects(pool: metadata.name, labels: metadata.labels) })
      else { return nil }
      return ManifestProblem(
        .warning, file: pool.source.file, line: pool.source.line, kind: "IPAddressPool",
        namespace: metadata.namespace, name: metadata.name,
        message: "no L2Advertisement selects it, so \(Self.list(users)) would not be announced")
    }
  }

  /// `Service default/web`, `3 Services`.
  private static func list(_ services: Set<ServiceName>) -> String {
    services.count == 1 ? services.map { "Service \($0)" }.joined() : "\(services.count) Services"
  }

  private func unmatchedNodeSelectors(_ store: ObjectStore, _ nodeName: String?) -> [ManifestProblem] {
    if let nodeName, store.nodes[NamespacedName(namespace: "", name: nodeName)] != nil { return [] }
    let why = nodeName.map { "there is no Node \($0) among the objects" } ?? "there is no --node-name"
    return store.l2Advertisements.sorted { $0.key < $1.key }.map(\.value).compactMap { stored in
      guard !stored.object.nodeSelectors.isEmpty else { return nil }
      let metadata = stored.object.metadata
      return ManifestProblem(
        .warning, file: stored.source.file, line: stored.source.line, kind: "L2Advertisement",
        namespace: metadata.namespace, name: metadata.name, field: "spec.nodeSelectors",
        message: "cannot match: \(why)")
    }
  }
}
