import Synchronization

/// A bearer token in a file that somebody else renews. Any thread.
///
/// A look at the file's state for each request is enough to see a new token at once; a file that cannot be read, or is
/// empty, leaves the last token in use.
final class TokenFile: Sendable {
  private struct State {
    var signature: FileSystem.Signature?
    var token: String?
  }

  /// More is no token.
  private static let limit = 1 << 20

  let path: String
  private let state: Mutex<State>

  /// `fallback` serves until the file could be read.
  init(_ path: String, fallback: String? = nil) {
    self.path = path
    state = Mutex(State(signature: nil, token: fallback))
  }

  /// Reads the file, or says why it cannot be read.
  func load() throws(FileSystem.ReadError) {
    let (bytes, signature) = try FileSystem.read(path, limit: Self.limit)
    let token = Self.token(in: bytes)
    state.withLock { state in
      state.signature = signature
      if let token { state.token = token }
    }
  }

  /// The token as of now; nil where there never was one.
  var token: String? {
    let status = try? FileSystem.status(path)
    if let status, FileSystem.Signature(status) != state.withLock({ $0.signature }) { try? load() }
    return state.withLock { $0.token }
  }

  // Without the line's end that editors and `echo` leave.
  private static func token(in bytes: [UInt8]) -> String? {
    let isSpace = { (byte: UInt8) in byte <= 0x20 }
    guard let last = bytes.lastIndex(where: { !isSpace($0) }) else { return nil }
    return String(validating: bytes[...last].drop(while: isSpace), as: UTF8.self)
  }
}
