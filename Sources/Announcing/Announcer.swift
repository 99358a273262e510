import Addresses

/// Tells the network where addresses live: the front end, of which ``Layer2Announcer`` is one.
///
/// The caller says what is to be announced, all of it each time; how, and what to do when links, neighbours or the
/// kernel change, is the announcer's, on a thread of its own. Any thread may call.
public protocol Announcer: Sendable {
  /// Its name in `status`: `layer2`.
  var name: String { get }

  /// Makes `announcements` all that is announced: what is new is taken, what is missing is withdrawn, the rest is not
  /// touched. Returns at once; ``changes`` says what became of it.
  func announce(_ announcements: [Announcement])

  /// Says how surely the addresses are this host's; ``Tenure/alone`` before it is said.
  func setTenure(_ tenure: Tenure)

  /// Withdraws everything and ends. Returns once this host no longer answers for any of it.
  func stop() async

  /// Each status that becomes another one, in order. For one reader.
  var changes: AsyncStream<AnnouncementStatus> { get }

  /// Where everything stands, by address; several where an address is on several interfaces.
  func statuses() async -> [IPAddress: [AnnouncementStatus]]

  /// What it has heard and dropped, by reason.
  func drops() async -> [String: UInt64]
}

extension Announcer {
  /// Nothing changes, where nobody can dispute an address.
  public func setTenure(_ tenure: Tenure) {}
}
