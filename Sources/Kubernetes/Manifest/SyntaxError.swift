/// Why a text is not YAML or not JSON.
struct SyntaxError: Error, Hashable, Sendable {
  /// Counted from 1.
  let line: Int
  let message: String
}
