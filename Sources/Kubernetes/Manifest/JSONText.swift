/// Reads JSON (RFC 8259) into values that know their lines: any number of documents, one after another.
///
/// Stricter than the RFC asks: a key twice in one object is an error, nesting is bounded.
struct JSONText {
  // Valid UTF-8, without a byte order mark.
  private let bytes: [UInt8]
  private var position = 0
  private var line: Int
  // Keys whose lists and mappings are read over. Not their strings: a label may have any key.
  private let passedOver: [String]

  /// The top-level values of `bytes`, which must be valid UTF-8.
  static func documents(_ bytes: [UInt8], firstLine: Int = 1) throws(SyntaxError) -> [MarkedValue] {
    var text = JSONText(bytes: bytes, line: firstLine)
    var documents: [MarkedValue] = []
    while text.skipSpace() != nil { documents.append(try text.value(depth: 0)) }
    return documents
  }

  /// The fields of the one object that `bytes` hold, without what is passed over.
  ///
  /// - Parameter bytes: checked to be UTF-8 here.
  /// - Parameter passingOver: keys whose lists and mappings are left out at any depth.
  /// - Parameter item: given each element of the object's own field `items`, which is then let go and left empty, so
  ///   that one element of a long list is in memory at a time.
  static func object(
    _ bytes: [UInt8], passingOver: [String] = [], eachItem item: ((MarkedValue) -> Void)? = nil
  ) throws(SyntaxError) -> [MarkedValue.Field] {
    guard (try? UTF8Span(validating: bytes.span)) != nil else { throw SyntaxError(line: 1, message: "is not UTF-8") }
    var text = JSONText(bytes: bytes, line: 1, passedOver: passingOver)
    guard let byte = text.skipSpace() else { throw text.error("is empty") }
    guard byte == UInt8(ascii: "{") else { throw text.error("found \(name(byte)) where a JSON object should begin") }
    let fields = try text.object(depth: 1, eachItem: item)
    guard text.skipSpace() == nil else { throw text.error("something follows the JSON object") }
    return fields
  }

  private init(bytes: [UInt8], line: Int, passedOver: [String] = []) {
    self.bytes = bytes
    self.line = line
    self.passedOver = passedOver
  }

  private func error(_ message: String) -> SyntaxError { SyntaxError(line: line, message: message) }

  // The next byte that is no white space, not consumed; nil at the end.
  private mutating func skipSpace() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\n"):
        line += 1
        position += 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
      case let byte: return byte
      }
    }
    return nil
  }

  private mutating func value(depth: Int) throws(SyntaxError) -> MarkedValue {
    guard let byte = skipSpace() else { throw error("the JSON ends in the middle") }
    let start = line
    switch byte {
    case UInt8(ascii: "{"): return MarkedValue(content: .map(try object(depth: depth + 1)), line: start)
    case UInt8(ascii: "["): return MarkedValue(content: .list(try array(depth: depth + 1)), line: start)
    case UInt8(ascii: "\""): return MarkedValue(content: .string(try string()), line: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return MarkedValue(content: try number(), line: start)
    case UInt8(ascii: "t"): return MarkedValue(content: try word("true", .bool(true)), line: start)
    case UInt8(ascii: "f"): return MarkedValue(content: try word("false", .bool(false)), line: start)
    case UInt8(ascii: "n"): return MarkedValue(content: try word("null", .null), line: start)
    default: throw error("found \(Self.name(byte)) where a JSON value should begin")
    }
  }

  private mutating func object(
    depth: Int, eachItem: ((MarkedValue) -> Void)? = nil
  ) throws(SyntaxError) -> [MarkedValue.Field] {
    guard depth <= MarkedValue.maximalDepth else {
      throw error("nested deeper than \(MarkedValue.maximalDepth) levels")
    }
    position += 1
    var fields: [MarkedValue.Field] = []
    var keys: Set<String> = []
    guard var byte = skipSpace() else { throw error("the JSON ends in the middle of an object") }
    if byte == UInt8(ascii: "}") {
      position += 1
      return []
    }
    while true {
      guard byte == UInt8(ascii: "\"") else { throw error("found \(Self.name(byte)) where a key in quotes should be") }
      let keyLine = line
      let key = try string()
      // A set pays off only for big objects; most have a handful of keys.
      let isNew: Bool
      if fields.count < 16 {
        isNew = !fields.contains { $0.key == key }
      } else {
        if keys.isEmpty { keys = Set(fields.map(\.key)) }
        isNew = keys.insert(key).inserted
      }
      guard isNew else { throw error("the key '\(key)' appears twice") }
      guard skipSpace() == UInt8(ascii: ":") else { throw error("the key '\(key)' is not followed by ':'") }
      position += 1
      if let eachItem, key == "items", skipSpace() == UInt8(ascii: "[") {
        try array(depth: depth + 1, eachItem)
        fields.append(MarkedValue.Field(key: key, line: keyLine, value: MarkedValue(content: .list([]), line: keyLine)))
      } else if passedOver.contains(key), let byte = skipSpace(), byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{")
      {
        try passOver(depth: depth)
      } else {
        fields.append(MarkedValue.Field(key: key, line: keyLine, value: try value(depth: depth)))
      }
      guard try separator(closing: UInt8(ascii: "}"), "object") else { return fields }
      guard let next = skipSpace() else { throw error("the JSON ends in the middle of an object") }
      byte = next
    }
  }

  private mutating func array(depth: Int) throws(SyntaxError) -> [MarkedValue] {
    var values: [MarkedValue] = []
    try array(depth: depth) { values.append($0) }
    return values
  }

  private mutating func array(depth: Int, _ take: (MarkedValue) -> Void) throws(SyntaxError) {
    guard depth <= MarkedValue.maximalDepth else {
      throw error("nested deeper than \(MarkedValue.maximalDepth) levels")
    }
    position += 1
    if skipSpace() == UInt8(ascii: "]") {
      position += 1
      return
    }
    repeat { take(try value(depth: depth)) } while try separator(closing: UInt8(ascii: "]"), "list")
  }

  // Reads over a list or a mapping and keeps nothing of it: only its brackets and strings are looked at.
  private mutating func passOver(depth: Int) throws(SyntaxError) {
    var closing: [UInt8] = []
    repeat {
      guard let byte = skipSpace() else { throw error("the JSON ends in the middle") }
      position += 1
      switch byte {
      case UInt8(ascii: "{"): closing.append(UInt8(ascii: "}"))
      case UInt8(ascii: "["): closing.append(UInt8(ascii: "]"))
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard closing.popLast() == byte else { throw error("found \(Self.name(byte)), which closes nothing") }
      case UInt8(ascii: "\""): try passOverString()
      default: break
      }
      guard depth + closing.count <= MarkedValue.maximalDepth else {
        throw error("nested deeper than \(MarkedValue.maximalDepth) levels")
      }
    } while !closing.isEmpty
  }

  private mutating func passOverString() throws(SyntaxError) {
    while position < bytes.count {
      let byte = bytes[position]
      position += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return }
    }
    throw error("a string is not closed")
  }

  // Whether a comma follows; otherwise it was the closing bracket.
  private mutating func separator(closing: UInt8, _ what: String) throws(SyntaxError) -> Bool {
    guard let byte = skipSpace() else {
      throw error("the JSON ends in the middle of \(what == "list" ? "a" : "an") \(what)")
    }
    guard byte == UInt8(ascii: ",") || byte == closing else {
      throw error("found \(Self.name(byte)) where ',' or '\(Character(UnicodeScalar(closing)))' should be")
    }
    position += 1
    return byte != closing
  }

  private mutating func word(_ word: StaticString, _ content: MarkedValue.Content) throws(SyntaxError)
    -> MarkedValue.Content
  {
    let text = word.description.utf8
    guard bytes[position...].starts(with: text) else { throw error("found a word that JSON does not have") }
    position += text.count
    return content
  }

  private mutating func number() throws(SyntaxError) -> MarkedValue.Content {
    let start = position
    var isInteger = true
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let first = position
    try digits()
    if bytes[first] == UInt8(ascii: "0"), position > first + 1 { throw error("a number must not begin with 0") }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      try digits()
    }
    guard position - start <= 400 else { throw error("a number of more than 400 digits") }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    guard let decimal = Double(text) else { throw error("'\(text)' is not a number") }
    return .decimal(decimal)
  }

  private mutating func digits() throws(SyntaxError) {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    if position == start { throw error("a number lacks digits") }
  }

  private mutating func string() throws(SyntaxError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: bytes[start..<position - 1], as: UTF8.self)
      case UInt8(ascii: "\\"): return try escapedString(from: start)
      case 0..<0x20: throw error("a string contains a control character (a line break, perhaps)")
      default: position += 1
      }
    }
    throw error("a string is not closed")
  }

  private mutating func escapedString(from start: Int) throws(SyntaxError) -> String {
    var text = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw error("a string contains a control character (a line break, perhaps)")
      default: text.append(byte)
      }
    }
    throw error("a string is not closed")
  }

  private mutating func escape(into text: inout [UInt8]) throws(SyntaxError) {
    guard position < bytes.count else { throw error("a string is not closed") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var unit = try hexadecimal()
      if 0xD800...0xDBFF ~= unit, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try hexadecimal()
        guard 0xDC00...0xDFFF ~= low else { throw error("half of a surrogate pair in a \\u escape") }
        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = UnicodeScalar(unit) else { throw error("half of a surrogate pair in a \\u escape") }
      text.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    default: throw error("\(Self.name(byte)) after a backslash is no JSON escape")
    }
  }

  private mutating func hexadecimal() throws(SyntaxError) -> UInt32 {
    guard position + 4 <= bytes.count,
      let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
      // A sign would pass as a number.
      bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-")
    else { throw error("a \\u escape needs four hexadecimal digits") }
    position += 4
    return unit
  }

  private static func name(_ byte: UInt8) -> String {
    0x21..<0x7F ~= byte ? "'\(Character(UnicodeScalar(byte)))'" : "an unexpected character"
  }
}
