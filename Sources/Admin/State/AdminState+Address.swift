extension AdminState {
  /// An external address that a Service has.
  public struct Address: Codable, Hashable, Sendable {
    /// Without a port: `10.101.0.50`, `2001:db8::50`.
    public var address: String
    /// The pool it came from; nil where no pool was asked.
    public var pool: String?
    /// Why this address, as `asked for by metallb.io/loadBalancerIPs` or `lowest free address`.
    public var reason: String?
    /// The host's interface that has the address, the first of ``interfaces``; nil when none has.
    public var interface: String?
    /// All that have it, by name; nil from a process that does not tell.
    public var interfaces: [String]?
    /// Who announces it, as `layer2 on eth0`; nil when nobody does.
    public var announcedBy: String?
    /// Why nobody announces it, as `--announce none`.
    public var notAnnounced: String?
    /// Why it is announced although it would not be if it were new, as `stays until 1 connection has ended`.
    public var stillAnnounced: String?
    /// What is worth knowing of how it is announced, as `no interface's subnet holds it`.
    public var remark: String?
    /// Of an address that lingers: the Services that had it, `namespace/name`; nil otherwise.
    public var formerServices: [String]?
    /// Where its announcement stands, by interface; nil where it is not to be announced.
    public var announcements: [Announcement]?

    public init(
      _ address: String, pool: String? = nil, reason: String? = nil, interface: String? = nil,
      announcedBy: String? = nil, notAnnounced: String? = nil, stillAnnounced: String? = nil,
      announcements: [Announcement]? = nil
    ) {
      self.address = address
      self.pool = pool
      self.reason = reason
      self.interface = interface
      self.announcedBy = announcedBy
      self.notAnnounced = notAnnounced
      self.stillAnnounced = stillAnnounced
      self.announcements = announcements
    }
  }

  /// What a Service's traffic is sent to.
  public struct Target: Codable, Hashable, Sendable {
    /// `pod`, `node-port`, or `address` for what `--to` named.
    public var kind: String
    /// Why, as `endpoints are known from files`.
    public var reason: String?

    public init(kind: String = "pod", reason: String? = nil) {
      self.kind = kind
      self.reason = reason
    }
  }
}
