import FoundationEssentials

/// Points in time as text (RFC 3339), in UTC, to the second.
public enum RFC3339 {
  /// `2026-01-31T12:00:00Z`; `unixSeconds` count from 1970 (time(2)).
  public static func text(unixSeconds: Int) -> String {
    Date(timeIntervalSince1970: Double(unixSeconds)).formatted(.iso8601)
  }
}
