/// What a running Roadstead says of itself: the answer of `/api/v1/state`, and what `status` and `explain` print.
///
/// A public format: fields are added, never renamed or given another meaning, and an added one is optional, so that
/// a client reads an older or a newer server. Names are camelCase; a missing value is left out. Counters count
/// from the start of the process and are unsigned 64-bit numbers; sizes are bytes.
///
/// Directions are the client's side: bytes *in* came from clients, bytes *out* went to them.
public struct AdminState: Codable, Hashable, Sendable {
  /// The program's version, as `0.1.0`.
  public var version: String
  /// When the process started, in UTC, as `2026-01-31T12:00:00Z` (RFC 3339); see ``RFC3339``.
  public var startedAt: String
  /// Seconds since the process started.
  public var uptimeSeconds: UInt64
  public var readiness: Readiness
  public var limits: Limits
  /// Where the configuration was read, and what is wrong with it.
  public var sources: [Source]
  public var pools: [Pool]
  /// In order of namespace and name.
  public var services: [Service]
  /// The sums over all ports of all Services, also of those that are gone.
  public var counters: Counters
  /// Nil where nothing can be announced.
  public var announcer: Announcer?
  /// Nil where no API server is read.
  public var cluster: Cluster?

  public init(
    version: String, startedAt: String, uptimeSeconds: UInt64 = 0, readiness: Readiness, limits: Limits = Limits(),
    sources: [Source] = [], pools: [Pool] = [], services: [Service] = [], counters: Counters = Counters(),
    announcer: Announcer? = nil, cluster: Cluster? = nil
  ) {
    self.version = version
    self.startedAt = startedAt
    self.uptimeSeconds = uptimeSeconds
    self.readiness = readiness
    self.limits = limits
    self.sources = sources
    self.pools = pools
    self.services = services
    self.counters = counters
    self.announcer = announcer
    self.cluster = cluster
  }

  /// Whether the process serves what it was asked to; the answer of `/readyz`.
  public struct Readiness: Codable, Hashable, Sendable {
    public var isReady: Bool
    /// Why it is not ready, as `draining`; nil when it is.
    public var reason: String?

    /// Everything that is asked for is served.
    public static let ready = Readiness(isReady: true, reason: nil)
    /// No new connections: the process ends when those that are open have ended, or their time is over.
    public static let draining = Readiness.notReady("draining")
    /// Not ready, and why in a few words.
    public static func notReady(_ reason: String) -> Readiness { Readiness(isReady: false, reason: reason) }
  }

  /// What bounds the process; derived from the machine where nobody said otherwise. Nil is not known.
  public struct Limits: Codable, Hashable, Sendable {
    /// Threads that carry traffic.
    public var shards: Int?
    /// Descriptors the process may have open: the soft RLIMIT_NOFILE (getrlimit(2)).
    public var openFiles: UInt64?
    /// TCP connections at one time, over all Services, that the open files allow.
    public var connections: UInt64?
    /// UDP flows at one time, over all Services.
    public var udpFlows: UInt64?

    public init(shards: Int? = nil, openFiles: UInt64? = nil, connections: UInt64? = nil, udpFlows: UInt64? = nil) {
      self.shards = shards
      self.openFiles = openFiles
      self.connections = connections
      self.udpFlows = udpFlows
    }
  }
}
