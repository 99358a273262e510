extension AdminState {
  /// Where the announcement of an address stands, on one interface.
  public struct Announcement: Codable, Hashable, Sendable {
    /// Nil where no interface is fit.
    public var interface: String?
    /// `announced`, `probing`, `waiting` or `withdrawn`; text, since a later version may have more.
    public var state: String
    /// Since when it is announced (``RFC3339``); nil while it is not.
    public var since: String?
    /// Why it waits, as `address already in use by 02:00:00:00:00:07`.
    public var reason: String?
    /// ARP probes and neighbour solicitations sent to find other holders.
    public var probes: UInt64
    /// Gratuitous ARP frames and unsolicited neighbour advertisements sent.
    public var gratuitous: UInt64
    /// Frames seen in which someone else claims the address.
    public var conflicts: UInt64
    /// How often the address's lifetime on the interface was renewed.
    public var renewals: UInt64
    /// What works less well than it should.
    public var warnings: [String]
    /// The MAC address of who claimed the address last while this host had it; nil where nobody did.
    public var rival: String?

    public init(
      interface: String? = nil, state: String, since: String? = nil, reason: String? = nil, probes: UInt64 = 0,
      gratuitous: UInt64 = 0, conflicts: UInt64 = 0, renewals: UInt64 = 0, warnings: [String] = [],
      rival: String? = nil
    ) {
      self.interface = interface
      self.state = state
      self.since = since
      self.reason = reason
      self.probes = probes
      self.gratuitous = gratuitous
      self.conflicts = conflicts
      self.renewals = renewals
      self.warnings = warnings
      self.rival = rival
    }

    public var isAnnounced: Bool { state == "announced" }
  }

  /// Who tells the network where addresses live.
  public struct Announcer: Codable, Hashable, Sendable {
    /// As `layer2`.
    public var name: String
    /// Frames and messages it has heard and dropped, by the reason's name.
    public var drops: [String: UInt64]
    /// Addresses that no Service has any more, announced until the connections on them have ended.
    public var lingering: [Address]

    public init(name: String, drops: [String: UInt64] = [:], lingering: [Address] = []) {
      self.name = name
      self.drops = drops
      self.lingering = lingering
    }
  }
}
