/// Where a Service's traffic is sent: `--target`, annotation `roadstead.dev/target`.
public enum TargetPolicy: String, Hashable, Sendable, CaseIterable {
  /// To the Pods where endpoints are known, to the nodes' ports where only Nodes are.
  case auto
  /// To the Pods' own addresses.
  case pod
  /// To the Service's NodePorts on the Nodes' addresses.
  case nodePort = "node-port"
}
