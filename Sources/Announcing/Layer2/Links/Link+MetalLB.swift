import Addresses

extension Link {
  /// How the names of interfaces begin that belong to containers or virtual machines.
  ///
  /// Source: MetalLB's ConfigMap `metallb-excludel2`.
  private static let containerNames = [
    "docker", "cbr", "dummy", "virbr", "lxcbr", "veth", "cali", "tunl", "flannel", "kube-ipvs", "cni", "nodelocaldns",
    "lxc",
  ]

  /// Whether MetalLB would leave the interface alone for its name.
  var isOfContainersByName: Bool { name == "lo" || Self.containerNames.contains { name.hasPrefix($0) } }

  /// Whether MetalLB would use the interface unasked, where it can be used: IPv6 must be on, as a link-local address tells.
  func isOneForMetalLB(_ family: IPAddress.Family) -> Bool {
    !isOfContainersByName && (family == .v4 || addresses.contains { $0.address.family == .v6 })
  }
}
