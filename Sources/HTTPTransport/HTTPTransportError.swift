/// Why a request or a stream ended early. Says nothing of tokens, keys or bodies.
public enum HTTPTransportError: Error, Hashable, Sendable {
  case cancelled
  /// Nothing came for so many seconds, although the reader was ready.
  case idle(seconds: Double)
  case bodyTooLarge(limit: Int)
  case invalidRequest(String)
  /// A CURLcode with libcurl's own words.
  case transfer(code: UInt32, reason: String)
}

extension HTTPTransportError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .cancelled: "cancelled"
    case .idle(let seconds): "nothing came for \(seconds) s"
    case .bodyTooLarge(let limit): "the answer is longer than \(limit) bytes"
    case .invalidRequest(let text): text
    case .transfer(_, let reason): reason
    }
  }
}
