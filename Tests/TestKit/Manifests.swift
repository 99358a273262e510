import Addresses

/// Kubernetes manifests as text, in the shape of the quick start.
public enum Manifests {
  /// A Service of type LoadBalancer, port 8080 to 18080, selecting `app: APP`.
  public static func service(
    _ name: String, app: String = "webserver", port: Int = 8080, targetPort: Int = 18080,
    annotations: [String: String] = [:]
  ) -> String {
    var lines = ["apiVersion: v1", "kind: Service", "metadata:", "  name: \(name)"]
    if !annotations.isEmpty {
      lines.append("  annotations:")
      lines += annotations.sorted { $0.key < $1.key }.map { "    \($0.key): \"\($0.value)\"" }
    }
    lines += [
      "spec:", "  type: LoadBalancer", "  ports:", "  - name: webserver", "    port: \(port)",
      "    targetPort: \(targetPort)", "  selector:", "    app: \(app)",
    ]
    return document(lines)
  }

  /// A running Pod that is ready or not.
  public static func pod(
    _ name: String, _ address: IPAddress, app: String = "webserver", isReady: Bool = true
  ) -> String {
    document([
      "apiVersion: v1", "kind: Pod", "metadata:", "  name: \(name)", "  labels:", "    app: \(app)",
      "status:", "  phase: Running", "  podIP: \(address)", "  podIPs:", "  - ip: \(address)", "  conditions:",
      "  - type: Ready", "    status: \"\(isReady ? "True" : "False")\"",
    ])
  }

  /// A pool of the addresses from `first` to `last`.
  public static func pool(_ first: IPAddress, _ last: IPAddress, name: String = "lab") -> String {
    document([
      "apiVersion: metallb.io/v1beta1", "kind: IPAddressPool", "metadata:", "  name: \(name)",
      "  namespace: metallb-system", "spec:", "  addresses:", "  - \(first)-\(last)",
    ])
  }

  private static func document(_ lines: [String]) -> String {
    "---\n" + lines.joined(separator: "\n") + "\n"
  }
}
