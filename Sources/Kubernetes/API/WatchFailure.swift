/// Why a list or a watch brought no more.
enum WatchFailure: Error, Hashable, Sendable {
  /// The server refused, or could not be reached (code 0).
  case refused(APIError)
  /// The stream broke while it ran, or fell silent; the transport's words.
  case broken(String)
  /// What came is not what the API says; what is wrong with it.
  case malformed(String)

  /// Seconds that the server asks to wait.
  var retryAfter: Double? { if case .refused(let error) = self { error.retryAfter } else { nil } }

  /// Whether the version that was asked for is no longer there.
  var isGone: Bool { if case .refused(let error) = self { error.isGone } else { false } }

  /// Whether the credentials are not accepted, or do not suffice.
  var isDenial: Bool { if case .refused(let error) = self { error.isDenied } else { false } }

  /// Whether the credentials are good and their rights do not suffice.
  var isForbidden: Bool { if case .refused(let error) = self { error.code == 403 } else { false } }

  /// Whether no answer came at all, or the stream just broke.
  var isOutOfReach: Bool {
    switch self {
    case .refused(let error): error.code == 0
    case .broken: true
    case .malformed: false
    }
  }

  /// Whether it is the same trouble as `other`, whose words may differ: libcurl's tell the milliseconds.
  func isLike(_ other: WatchFailure?) -> Bool {
    switch (self, other) {
    case (.refused(let a), .refused(let b)): a.code == b.code && a.reason == b.reason
    case (.broken, .broken), (.malformed, .malformed): true
    case (.refused, _), (.broken, _), (.malformed, _): false
    }
  }
}

extension WatchFailure: CustomStringConvertible {
  /// One line, whatever the server wrote.
  var description: String {
    switch self {
    case .refused(let error): APIError.line("\(error)")
    case .broken(let text): APIError.line("the watch broke: \(text)")
    case .malformed(let text): APIError.line("not the API's answer: \(text)")
    }
  }
}
