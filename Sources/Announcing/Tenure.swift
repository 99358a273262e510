/// How surely the announced addresses are this host's: what tells it of others that might have them.
public enum Tenure: Hashable, Sendable {
  /// No Lease: only the LAN tells. An address is given up to a host that has it, which is found out by asking.
  case alone
  /// This process holds the Lease, as it has lately been told: it gives no address up, and goes on asking for one that
  /// another still has, so that the other learns of it.
  case fenced
  /// It held the Lease and cannot ask whether it does: as ``alone``, and an address is given up as well to a host that is
  /// about to take it.
  case unverified
}
