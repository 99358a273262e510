import EventLoop
import Glibc

/// Why a request, a connection or a stream failed.
enum ErrorKind: String, CaseIterable {
  case reset
  case refused
  /// Nothing came for too long.
  case timeout
  /// The peer closed before its reply was whole.
  case earlyClose = "early_close"
  case wrongReply = "wrong_reply"
  case other

  /// What a system call's error stands for.
  static func of(_ error: Errno) -> ErrorKind {
    switch error.rawValue {
    case ECONNRESET, EPIPE: .reset
    case ECONNREFUSED: .refused
    case ETIMEDOUT: .timeout
    default: .other
    }
  }
}

/// How often each kind of error was seen.
struct ErrorCounts {
  private var counts = [Int](repeating: 0, count: ErrorKind.allCases.count)
  private(set) var total = 0

  subscript(kind: ErrorKind) -> Int { counts[ErrorKind.allCases.firstIndex(of: kind) ?? 0] }

  mutating func add(_ kind: ErrorKind, _ count: Int = 1) {
    counts[ErrorKind.allCases.firstIndex(of: kind) ?? 0] += count
    total += count
  }
}
