/// Splits bytes at newlines, whatever the borders of the chunks. A value: one owner, any thread.
///
/// Holds no more than the longest line that is taken. What follows the last newline at the end of a stream is a line
/// cut short, and nobody gets it.
struct LineSplitter: Sendable {
  /// Longest line that is taken, in bytes: 8 MiB. etcd takes objects of 1.5 MiB, whose JSON may be a few times as long.
  static let defaultLimit = 8 << 20

  let limit: Int
  /// Whether a line went over the limit. Nothing more is taken then.
  private(set) var isTooLong = false
  private var pending: [UInt8] = []

  init(limit: Int = Self.defaultLimit) { self.limit = limit }

  /// Bytes of a line whose end has not come.
  var pendingCount: Int { pending.count }

  /// Takes one chunk; returns the lines that it completes, without their newlines; blank ones are left out.
  ///
  /// Look at ``isTooLong`` afterwards: the lines before the long one are returned.
  mutating func split(_ chunk: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = chunk.startIndex
    while !isTooLong, start < chunk.endIndex {
      let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n"))
      let part = chunk[start..<(end ?? chunk.endIndex)]
      guard pending.count + part.count <= limit else {
        isTooLong = true
        pending = []
        break
      }
      guard let end else {
        pending += part
        break
      }
      let line = pending.isEmpty ? Array(part) : pending + part
      if line.contains(where: { $0 > UInt8(ascii: " ") }) { lines.append(line) }
      // One long line is no reason to keep its room for ever.
      pending.removeAll(keepingCapacity: pending.capacity <= 64 << 10)
      start = end + 1
    }
    return lines
  }
}
