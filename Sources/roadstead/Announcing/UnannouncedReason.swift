/// Why the network is not told of an address: one wording for `status`, `explain` and the log.
enum UnannouncedReason: Error, Hashable {
  /// Nobody but this host could ask for it.
  case loopback
  /// `0.0.0.0` or `::` of `--listen`: every address of the host, so none to announce.
  case unspecified
  /// `--announce none`.
  case notAsked
  /// Of `--listen`, which no L2Advertisement can select.
  case listenAddress
  /// Of `--listen`, and an interface of this host has it: nothing is left to announce.
  case ownAddress
  /// This process's node has the label that keeps load balancers away.
  case nodeExcluded(String)
  /// This process's node has the condition NetworkUnavailable.
  case networkUnavailable(node: String)
  /// No L2Advertisement selects the pool.
  case poolNotSelected(String)
  /// Those that select the pool leave this address out, each for its own reason, by name.
  case leftOut(pool: String, [Advertisement])
  /// It could be announced once there is an endpoint that takes traffic.
  case noReadyEndpoint
  /// No port of it that has endpoints is listened on, and why.
  case notListening(String)
  /// Another instance holds the Lease, or nobody does for the moment.
  case standby(holder: String?)
  /// There is nothing to announce with, and why.
  case noAnnouncer(String)
  /// The process ends, and the last connection to it has ended.
  case draining

  /// An L2Advertisement that selects the pool, and what it does not select.
  struct Advertisement: Hashable, Sendable {
    let name: String
    let mismatch: Mismatch
  }

  /// What an L2Advertisement does not select.
  enum Mismatch: Hashable, Sendable {
    /// None of the Services on the address, which are so many.
    case service(of: Int)
    case node(String)
    /// It has nodeSelectors, and nobody said which node this is.
    case nodeNotNamed
    /// It has nodeSelectors, and there is no Node of this name whose labels could be looked at.
    case nodeNotKnown(String)
  }
}

extension UnannouncedReason: CustomStringConvertible {
  var description: String {
    switch self {
    case .loopback: "a loopback address"
    case .unspecified: "not a single address"
    case .notAsked: "--announce none"
    case .listenAddress: "addresses of --listen are announced with --announce layer2"
    case .ownAddress: "an address of this host"
    case .nodeExcluded(let node): "node \(node) has the label node.kubernetes.io/exclude-from-external-load-balancers"
    case .networkUnavailable(let node): "node \(node) has the condition NetworkUnavailable"
    case .poolNotSelected(let pool): "no L2Advertisement selects pool \(pool)"
    case .leftOut(let pool, let advertisements):
      advertisements.map { "L2Advertisement \($0.name) selects pool \(pool), but \($0.mismatch)" }
        .joined(separator: "; ")
    case .noReadyEndpoint: "no ready endpoint"
    case .notListening(let error): "not listening: \(error)"
    case .standby(let holder?): "this instance stands by: \(holder) holds the Lease"
    case .standby(nil): "this instance stands by: it does not hold the Lease"
    case .noAnnouncer(let why): why
    case .draining: "draining, and no connection to it is open"
    }
  }
}

extension UnannouncedReason.Mismatch: CustomStringConvertible {
  /// Continues `L2Advertisement lab selects pool lab, but `.
  var description: String {
    switch self {
    case .service(of: 1): "not this Service"
    case .service: "none of the Services on it"
    case .node(let node): "not node \(node)"
    case .nodeNotNamed: "has nodeSelectors, and without --node-name this process is no node"
    case .nodeNotKnown(let node): "has nodeSelectors, and there is no Node \(node) among the objects"
    }
  }
}
