/// A value of a YAML or JSON document, with the line it stands on.
struct MarkedValue: Sendable {
  /// A mapping's key and value. Keys of one mapping are distinct.
  struct Field: Sendable {
    let key: String
    let line: Int
    let value: MarkedValue
  }

  enum Content: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case decimal(Double)
    case string(String)
    case list([MarkedValue])
    case map([Field])
  }

  let content: Content
  /// Counted from 1.
  let line: Int

  /// Deepest nesting of lists and mappings that is read: three times what the deepest known object has.
  static let maximalDepth = 200

  /// What it is, for a sentence: `a number (80)`.
  var article: String {
    switch content {
    case .null: "null"
    case .bool(let value): "a boolean (\(value))"
    case .integer(let value): "a number (\(value))"
    case .decimal(let value): "a number (\(value))"
    case .string(let value): "a string ('\(value.prefix(40))')"
    case .list: "a list"
    case .map: "a mapping"
    }
  }

  /// The same without the value: `a number`.
  var type: String {
    switch content {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .decimal: "a number"
    case .string: "a string"
    case .list: "a list"
    case .map: "a mapping"
    }
  }

  /// The value of `key`, where this is a mapping that has it.
  subscript(key: String) -> MarkedValue? {
    guard case .map(let fields) = content else { return nil }
    return fields.first { $0.key == key }?.value
  }

  /// The string, where this is one.
  var string: String? {
    guard case .string(let text) = content else { return nil }
    return text
  }
}
