import Glibc

/// A web server's reply as it comes in, in as many pieces as it likes (RFC 9112).
///
/// A status of 400 or more, and what cannot be read, is wrong. Bodies come by `Content-Length`, by chunks, or up to the
/// end of the connection. The last reply of a connection says so: by `Connection: close`, or in HTTP/1.0 by not saying
/// `keep-alive` (section 9.3).
struct HTTPReply {
  private enum Part {
    case head
    case body(left: Int)
    case bodyUntilEnd
    case chunkSize
    case chunk(left: Int)
    case trailer
  }

  private var part = Part.head
  /// Whether the server closes the connection after this reply.
  private var isLast = false
  /// The beginning of a head, a line or a trailer that is not whole yet.
  private var rest: [UInt8] = []

  private static let mostHead = 16 << 10

  /// Whether the end of the connection is the end of the body.
  var endsWithConnection: Bool { if case .bodyUntilEnd = part { true } else { false } }

  /// Takes what has come next.
  @unsafe mutating func take(_ bytes: UnsafeRawBufferPointer) -> TCPClient.Reply {
    if rest.isEmpty { return unsafe read(bytes) }
    let whole = unsafe rest + bytes
    rest = []
    return unsafe whole.withUnsafeBytes { unsafe read($0) }
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer) -> TCPClient.Reply {
    var at = 0
    while true {
      let left = bytes.count - at
      switch part {
      case .head:
        guard let end = unsafe Self.endOfHead(bytes) else { return unsafe keep(bytes, from: at) }
        guard unsafe readHead(UnsafeRawBufferPointer(rebasing: bytes[0..<end])) else { return .isWrong }
        at = end
      case .body(let wanted):
        guard left >= wanted else {
          part = .body(left: wanted - left)
          return .isPartial
        }
        return left == wanted ? whole : .isWrong
      case .bodyUntilEnd: return .isPartial
      case .chunkSize:
        guard let end = unsafe Self.endOfLine(bytes, from: at) else { return unsafe keep(bytes, from: at) }
        guard let size = unsafe Self.chunkSize(bytes, at..<end) else { return .isWrong }
        // The data and the line end behind it.
        part = size == 0 ? .trailer : .chunk(left: size + 2)
        at = end
      case .chunk(let wanted):
        guard left >= wanted else {
          part = .chunk(left: wanted - left)
          return .isPartial
        }
        part = .chunkSize
        at += wanted
      case .trailer:
        guard let end = unsafe Self.endOfLine(bytes, from: at) else { return unsafe keep(bytes, from: at) }
        if end - at == 2 { return end == bytes.count ? whole : .isWrong }
        at = end
      }
    }
  }

  private var whole: TCPClient.Reply { isLast ? .isLast : .isWhole }

  private mutating func keep(_ bytes: UnsafeRawBufferPointer, from start: Int) -> TCPClient.Reply {
    guard bytes.count - start <= Self.mostHead else { return .isWrong }
    rest = unsafe Array(bytes[start...])
    return .isPartial
  }

  // MARK: - The head

  private mutating func readHead(_ head: UnsafeRawBufferPointer) -> Bool {
    // "HTTP/1.1 200 OK": the class of the status is at 9.
    guard head.count > 12, unsafe Self.has("HTTP/1.", in: head, at: 0), unsafe (0x32...0x33).contains(head[9]) else {
      return false
    }
    let hasNoBody = unsafe Self.has("204", in: head, at: 9) || Self.has("304", in: head, at: 9)
    part = hasNoBody ? .body(left: 0) : .bodyUntilEnd
    isLast = unsafe head[7] == 0x30
    var (isChunked, closes) = (false, false)
    var at = 0
    while let end = unsafe Self.endOfLine(head, from: at) {
      // Most lines are told apart by their first letter.
      if unsafe head[at] | 0x20 == 0x63, unsafe Self.has("content-length:", in: head, at: at) {
        guard let length = unsafe Self.number(head, at + 15..<end) else { return false }
        if !hasNoBody { part = .body(left: length) }
      } else if unsafe head[at] | 0x20 == 0x63, unsafe Self.has("connection:", in: head, at: at) {
        if unsafe Self.lists("close", in: head, at + 11..<end) {
          isLast = true
          closes = true
        } else if !closes, unsafe Self.lists("keep-alive", in: head, at + 11..<end) {
          isLast = false
        }
      } else if unsafe head[at] | 0x20 == 0x74, unsafe Self.has("transfer-encoding: chunked", in: head, at: at) {
        isChunked = true
      }
      at = end
    }
    if isChunked, !hasNoBody { part = .chunkSize }
    return true
  }

  /// The index behind the empty line.
  private static func endOfHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var at = 0
    while let end = unsafe endOfLine(bytes, from: at) {
      if end - at == 2 { return end }
      at = end
    }
    return nil
  }

  /// The index behind the next CR LF.
  private static func endOfLine(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard start < bytes.count, let base = bytes.baseAddress else { return nil }
    guard let found = unsafe memchr(base + start, 10, bytes.count - start) else { return nil }
    return unsafe UnsafeRawPointer(found) - base + 1
  }

  /// Whether `text`, in small letters, is at an index.
  private static func has(_ text: StaticString, in bytes: UnsafeRawBufferPointer, at start: Int) -> Bool {
    guard bytes.count - start >= text.utf8CodeUnitCount, let base = bytes.baseAddress else { return false }
    return unsafe strncasecmp(
      (base + start).assumingMemoryBound(to: CChar.self),
      UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), text.utf8CodeUnitCount) == 0
  }

  /// Whether a list with commas, up to its line end, has `word`.
  private static func lists(_ word: StaticString, in bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    var start = range.lowerBound
    for index in range {
      // Blanks, line ends and commas.
      guard unsafe bytes[index] <= 0x20 || bytes[index] == 0x2C else { continue }
      if index - start == word.utf8CodeUnitCount, unsafe has(word, in: bytes, at: start) { return true }
      start = index + 1
    }
    return false
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    var value = 0
    var digits = 0
    for index in range {
      let byte = unsafe bytes[index]
      if byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A { continue }
      guard (0x30...0x39).contains(byte), digits < 18 else { return nil }
      value = value &* 10 &+ Int(byte - 0x30)
      digits += 1
    }
    return digits > 0 ? value : nil
  }

  private static func chunkSize(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    var value = 0
    var digits = 0
    for index in range {
      let byte = unsafe bytes[index] | 0x20
      let digit: Int
      switch byte {
      case 0x30...0x39: digit = Int(byte) - 0x30
      case 0x61...0x66: digit = Int(byte) - 0x61 + 10
      default: return digits > 0 ? value : nil
      }
      guard digits < 12 else { return nil }
      value = value << 4 | digit
      digits += 1
    }
    return digits > 0 ? value : nil
  }
}
