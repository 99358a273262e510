import Addresses
import Announcing
import Testing

@testable import Kubernetes
@testable import roadstead

/// Kubernetes objects as short YAML, for tables of them.
enum Objects {
  static func pool(_ name: String = "lab", _ addresses: String = "10.101.0.50-10.101.0.60", labels: String = "")
    -> String
  {
    object("metallb.io/v1beta1", "IPAddressPool", name, labels: labels, "spec: {addresses: [\(addresses)]}")
  }

  static func advertisement(_ name: String, _ spec: String = "") -> String {
    object("metallb.io/v1beta1", "L2Advertisement", name, "spec: {\(spec)}")
  }

  static func service(_ name: String, labels: String = "", annotations: String = "", port: Int = 8080) -> String {
    object(
      "v1", "Service", name, labels: labels, annotations: annotations,
      "spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: \(port), targetPort: 18080}]}")
  }

  static func pod(_ address: String, isReady: Bool = true) -> String {
    object(
      "v1", "Pod", "pod", labels: "app: web",
      """
      status: {phase: Running, podIP: \(address), conditions: [{type: Ready, status: "\(isReady ? "True" : "False")"}]}
      """)
  }

  static func node(_ name: String, labels: String = "", conditions: String = "") -> String {
    object("v1", "Node", name, labels: labels, "status: {conditions: [\(conditions)]}")
  }

  private static func object(
    _ version: String, _ kind: String, _ name: String, labels: String = "", annotations: String = "", _ rest: String
  ) -> String {
    """
    ---
    apiVersion: \(version)
    kind: \(kind)
    metadata: {name: \(name), labels: {\(labels)}, annotations: {\(annotations)}}
    \(rest)

    """
  }

  /// What the files would be read as.
  ///
  /// All of it has changed, as after a first reading.
  static func manifests(_ texts: [String]) throws -> ManifestSnapshot {
    let content = try ManifestContent(Array(texts.joined().utf8), file: "all.yaml")
    try #require(content.problems.filter { $0.severity == .error } == [])
    var manifests = ManifestSnapshot(problems: content.problems)
    for entry in content.entries {
      let services = manifests.store.insert(
        entry.object, source: ObjectSource(file: "all.yaml", line: entry.line))
      manifests.affectedServices.formUnion(services)
      manifests.changes.insert(entry.object.reference)
    }
    return manifests
  }
}

extension AnnouncementPlan.Verdict {
  /// `eth0,eth1`, `fitting`, or why not; in brackets why it stays.
  var text: String {
    switch self {
    case .announced(let interfaces, let stays): interfaces.text + (stays.map { " [\($0)]" } ?? "")
    case .not(let reason): reason.description
    }
  }
}

extension InterfaceScope {
  fileprivate var text: String {
    switch self {
    case .fitting: "fitting"
    case .named(let names): names.sorted().joined(separator: ",")
    }
  }
}
