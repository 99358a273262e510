/// The API server said no, or nothing.
public struct APIError: Error, Hashable, Sendable {
  /// The HTTP status; 0 where there was no answer.
  public var code: Int
  /// One word in the API's way, as `NotFound`, `Conflict`, `Expired`; empty where there is none.
  public var reason: String
  /// For people, one line; no token or key is ever in it.
  public var message: String
  /// Seconds that the server asks to wait (`Retry-After`).
  public var retryAfter: Double?

  public init(code: Int, reason: String = "", message: String, retryAfter: Double? = nil) {
    self.code = code
    self.reason = reason
    self.message = message
    self.retryAfter = retryAfter
  }

  /// The version that was asked for is no longer there: list anew.
  public var isGone: Bool { code == 410 }
  /// Somebody was quicker: read anew and decide again.
  public var isConflict: Bool { code == 409 }
  public var isNotFound: Bool { code == 404 }
  /// The credentials are not accepted, or do not suffice.
  public var isDenied: Bool { code == 401 || code == 403 }
}

extension APIError: CustomStringConvertible {
  public var description: String { code == 0 ? message : "\(code)\(reason.isEmpty ? "" : " \(reason)"): \(message)" }
}
