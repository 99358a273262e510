import Yams

/// What a YAML scalar means to `kubectl`: the rules of sigs.k8s.io/yaml (goyaml.v2, resolve.go).
enum YAMLScalar {
  static func content(_ scalar: Yams.Node.Scalar, line: Int) throws(SyntaxError) -> MarkedValue.Content {
    switch scalar.tag.description {
    case "": return isPlain(scalar) ? plain(scalar.string) : .string(scalar.string)
    // "!" alone: not to be guessed at.
    case "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp": return .string(scalar.string)
    case "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:null": return plain(scalar.string)
    case "tag:yaml.org,2002:float":
      if case .integer(let value) = plain(scalar.string) { return .decimal(Double(value)) }
      return plain(scalar.string)
    case let tag: throw SyntaxError(line: line, message: "the tag '\(tag)' is not supported")
    }
  }

  /// A mapping's key: always a string in the end; `yes:` is the key `true`, as kubectl has it.
  ///
  /// The tag does not count: the parser, comparing keys, has replaced it.
  static func key(_ scalar: Yams.Node.Scalar) -> String {
    guard isPlain(scalar) else { return scalar.string }
    return switch plain(scalar.string) {
    case .string(let text): text
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .decimal, .null, .list, .map: scalar.string
    }
  }

  private static func isPlain(_ scalar: Yams.Node.Scalar) -> Bool { scalar.style == .plain || scalar.style == .any }

  /// The meaning of a scalar without quotes.
  static func plain(_ text: String) -> MarkedValue.Content {
    guard let first = text.utf8.first else { return .null }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      return number(text) ?? .string(text)
    default: break
    }
    // The longest word is "false": most strings need no comparison.
    guard text.utf8.count <= 5 else { return .string(text) }
    switch text {
    case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
    case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
    case "~", "null", "Null", "NULL": return .null
    default: return .string(text)
    }
  }

  private static func number(_ text: String) -> MarkedValue.Content? {
    guard text.utf8.count <= 400 else { return nil }
    switch text {
    case ".nan", ".NaN", ".NAN": return .decimal(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .decimal(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .decimal(-.infinity)
    default: break
    }
    let digits = text.filter { $0 != "_" }
    if let integer = integer(digits) { return .integer(integer) }
    guard isDecimal(digits), let value = Double(digits) else { return nil }
    return .decimal(value)
  }

  // Go's strconv.ParseInt with base 0: 0x, 0o, 0b and a leading 0 choose the base.
  private static func integer(_ text: String) -> Int? {
    let isNegative = text.hasPrefix("-")
    let digits = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
    guard let first = digits.utf8.first, UInt8(ascii: "0")...UInt8(ascii: "9") ~= first else { return nil }
    let sign = isNegative ? "-" : ""
    guard first == UInt8(ascii: "0"), digits.utf8.count > 1 else { return Int(sign + digits) }
    let (radix, prefix) =
      switch digits.dropFirst().first {
      case "x", "X": (16, 2)
      case "o", "O": (8, 2)
      case "b", "B": (2, 2)
      default: (8, 1)
      }
    let rest = digits.dropFirst(prefix)
    guard let next = rest.utf8.first, next != UInt8(ascii: "+"), next != UInt8(ascii: "-") else { return nil }
    return Int(sign + rest, radix: radix)
  }

  // ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$
  private static func isDecimal(_ text: String) -> Bool {
    var rest = text.utf8[...]
    func isSign(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") }
    func dropDigits() -> Int {
      let count = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }.count
      rest = rest.dropFirst(count)
      return count
    }
    if isSign(rest.first) { rest = rest.dropFirst() }
    let whole = dropDigits()
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      if dropDigits() == 0, whole == 0 { return false }
    } else if whole == 0 {
      return false
    }
    if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
      rest = rest.dropFirst()
      if isSign(rest.first) { rest = rest.dropFirst() }
      if dropDigits() == 0 { return false }
    }
    return rest.isEmpty
  }
}
