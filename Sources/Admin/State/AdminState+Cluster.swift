extension AdminState {
  /// How things stand with the API server, and with other instances.
  public struct Cluster: Codable, Hashable, Sendable {
    /// Its address, as `https://10.0.0.1:6443`.
    public var server: String
    /// `connecting`, `connected` or `unreachable`.
    public var connection: String
    /// Since when, RFC 3339; nil while connecting.
    public var since: String?
    /// Why it is not reached.
    public var reason: String?
    /// Whether every kind has been listed once.
    public var isSynced: Bool
    /// What is missing, as `IPAddressPool: the cluster does not know metallb.io/v1beta1`.
    public var notes: [String]
    /// Nil where there is a single instance.
    public var lease: Lease?

    public init(
      server: String, connection: String, since: String? = nil, reason: String? = nil, isSynced: Bool = false,
      notes: [String] = [], lease: Lease? = nil
    ) {
      self.server = server
      self.connection = connection
      self.since = since
      self.reason = reason
      self.isSynced = isSynced
      self.notes = notes
      self.lease = lease
    }
  }

  /// The Lease that one of several instances holds.
  public struct Lease: Codable, Hashable, Sendable {
    /// `NAMESPACE/NAME`.
    public var name: String
    /// This instance.
    public var identity: String
    /// `unknown`, `standby`, `holder` or `holder, unverified`.
    public var role: String
    /// Who holds it, where that is known and somebody else.
    public var holder: String?
    /// Since when this instance holds it, RFC 3339.
    public var since: String?

    public init(name: String, identity: String, role: String, holder: String? = nil, since: String? = nil) {
      self.name = name
      self.identity = identity
      self.role = role
      self.holder = holder
      self.since = since
    }
  }
}

extension AdminState.Cluster {
  /// For `status`: one line on the server, one on the Lease, one for each note.
  var lines: [String] {
    let state =
      switch connection {
      case "connected": "connected\(since.map { " since \($0)" } ?? "")"
      case "unreachable":
        "unreachable\(since.map { " since \($0)" } ?? ""): \(reason ?? "no reason given"); the last known state serves on"
      default: "connecting\(reason.map { ": \($0)" } ?? "")"
      }
    var lines = ["cluster: \(server) \(state)\(isSynced ? "" : "; not everything is listed yet")"]
    if let lease {
      let role =
        switch lease.role {
        case "holder": "held by this instance (\(lease.identity))\(lease.since.map { " since \($0)" } ?? "")"
        case "holder, unverified":
          "held by this instance (\(lease.identity)), lease unverified: it cannot be renewed for now"
        case "standby":
          lease.holder.map { "held by \($0); this instance (\(lease.identity)) stands by" }
            ?? "held by nobody; this instance (\(lease.identity)) stands by"
        default: "not known yet"
        }
      lines.append("lease: \(lease.name) \(role)")
    }
    return lines + notes.map { "cluster: \($0)" }
  }
}
