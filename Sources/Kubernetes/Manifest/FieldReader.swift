import Addresses

/// Reads the fields of one mapping by name and type. What does not fit is reported with its line, and read as absent.
///
/// Not `Decodable`, which would stop at the first mistake and tell neither lines nor unknown fields. `null` is absent,
/// as in the API.
struct FieldReader {
  let fields: [MarkedValue.Field]
  /// Where the mapping begins.
  let line: Int
  let reading: ObjectReading

  /// Reports every field of `value` that is not in `names`.
  init(_ fields: [MarkedValue.Field], line: Int, _ names: FieldNames, _ reading: ObjectReading) {
    self.fields = fields
    self.line = line
    self.reading = reading
    guard reading.reportsUnknownFields else { return }
    for field in fields where !names.contains(field.key) {
      reading.at(.field(field.key)) {
        let hint = Suggestion.phrase(for: field.key, among: names.names)
        reading.report(.warning, field.line, "unknown field\(hint)")
      }
    }
  }

  /// A reader that takes any field, for the look at what kind of object it is.
  init(_ fields: [MarkedValue.Field], line: Int, unchecked reading: ObjectReading) {
    self.fields = fields
    self.line = line
    self.reading = reading
  }

  /// The value of `key`; nil where it is absent or null.
  func value(_ key: String) -> MarkedValue? {
    for field in fields where field.key == key {
      if case .null = field.value.content { return nil }
      return field.value
    }
    return nil
  }

  /// Whether `key` is absent or lists nothing (and is not of a wrong type).
  func isEmptyList(_ key: String) -> Bool {
    guard let value = value(key) else { return true }
    guard case .list(let values) = value.content else { return false }
    return values.isEmpty
  }

  func at<T>(_ key: String, _ body: () -> T) -> T { reading.at(.field(key), body) }

  func error(_ key: String, _ message: String) { at(key) { reading.error(value(key)?.line ?? line, message) } }

  func warning(_ key: String, _ message: String) {
    at(key) { reading.report(.warning, value(key)?.line ?? line, message) }
  }

  /// Reports on a field of the mapping at `index` of the list `key`.
  func error(_ key: String, index: Int, _ inner: String, _ message: String) {
    guard case .list(let values)? = value(key)?.content, values.indices.contains(index) else {
      return error(key, message)
    }
    at(key) {
      reading.at(.index(index)) {
        reading.at(.field(inner)) { reading.error(values[index][inner]?.line ?? values[index].line, message) }
      }
    }
  }

  // One field of one type: absent, as wanted, or reported as something else.
  private func scalar<T>(
    _ key: String, required: Bool, _ wanted: String, _ read: (MarkedValue) -> T?
  ) -> T? {
    guard let value = value(key) else {
      if required { error(key, "is required") }
      return nil
    }
    return at(key) {
      guard let result = read(value) else {
        mismatch(value, wanted)
        return nil
      }
      return result
    }
  }

  private func mismatch(_ value: MarkedValue, _ wanted: String) {
    var message = "must be \(wanted), not \(value.article)"
    if wanted == "a string" {
      switch value.content {
      case .bool, .integer, .decimal: message += "; put it in quotes"
      case .null, .string, .list, .map: break
      }
    }
    reading.error(value.line, message)
  }

  func string(_ key: String, required: Bool = false) -> String? {
    scalar(key, required: required, "a string") { $0.string }
  }

  func bool(_ key: String) -> Bool? {
    scalar(key, required: false, "true or false") { value in
      if case .bool(let flag) = value.content { flag } else { nil }
    }
  }

  func integer(_ key: String, in range: ClosedRange<Int>, required: Bool = false) -> Int? {
    let number: Int? = scalar(key, required: required, "a whole number") { value in
      switch value.content {
      case .integer(let number): number
      // As kubectl, which writes YAML's 80.0 as 80.
      case .decimal(let number): Int(exactly: number)
      case .null, .bool, .string, .list, .map: nil
      }
    }
    guard let number else { return nil }
    guard range.contains(number) else {
      error(key, "must be between \(range.lowerBound) and \(range.upperBound), not \(number)")
      return nil
    }
    return number
  }

  /// One of the words of `E`; an empty string is none, as in the API.
  func choice<E: RawRepresentable & CaseIterable>(_ key: String, _ type: E.Type, required: Bool = false) -> E?
  where E.RawValue == String {
    guard let text = string(key, required: required), let value = value(key) else { return nil }
    if text.isEmpty, !required { return nil }
    return at(key) { choice(text, value.line, type) }
  }

  private func choice<E: RawRepresentable & CaseIterable>(_ text: String, _ line: Int, _ type: E.Type) -> E?
  where E.RawValue == String {
    if let choice = E(rawValue: text) { return choice }
    let words = E.allCases.map { $0.rawValue }
    let hint = Suggestion.phrase(for: text, among: words)
    reading.error(
      line, "must be \(words.count > 1 ? "one of " : "")\(words.joined(separator: ", ")), not '\(text)'\(hint)")
    return nil
  }

  func choices<E: RawRepresentable & CaseIterable>(_ key: String, _ type: E.Type) -> [E] where E.RawValue == String {
    list(key) { value in text(value).flatMap { choice($0, value.line, type) } }
  }

  /// A mapping with the fields `names`.
  @discardableResult
  func map<T>(_ key: String, _ names: FieldNames, required: Bool = false, _ read: (FieldReader) -> T) -> T? {
    guard let value = value(key) else {
      if required { error(key, "is required") }
      return nil
    }
    return at(key) { map(value, names, read) }
  }

  private func map<T>(_ value: MarkedValue, _ names: FieldNames, _ read: (FieldReader) -> T) -> T? {
    guard case .map(let fields) = value.content else {
      mismatch(value, "a mapping")
      return nil
    }
    return read(FieldReader(fields, line: value.line, names, reading))
  }

  /// A list; what `read` makes nil of is left out, after it was reported.
  func list<T>(_ key: String, _ read: (MarkedValue) -> T?) -> [T] {
    guard let value = value(key) else { return [] }
    return at(key) {
      guard case .list(let values) = value.content else {
        mismatch(value, "a list")
        return []
      }
      var result: [T] = []
      result.reserveCapacity(values.count)
      for (index, value) in values.enumerated() {
        if let element = reading.at(.index(index), { read(value) }) { result.append(element) }
      }
      return result
    }
  }

  /// A list of mappings with the fields `names`.
  func maps<T>(_ key: String, _ names: FieldNames, _ read: (FieldReader) -> T?) -> [T] {
    list(key) { value in map(value, names, read).flatMap { $0 } }
  }

  func strings(_ key: String) -> [String] { list(key) { text($0) } }

  /// A mapping of any keys to strings, as labels and annotations are.
  func stringMap(_ key: String) -> [String: String] {
    guard let value = value(key) else { return [:] }
    return at(key) {
      guard case .map(let fields) = value.content else {
        mismatch(value, "a mapping")
        return [:]
      }
      var result: [String: String] = [:]
      result.reserveCapacity(fields.count)
      for field in fields {
        if let string = field.value.string {
          result[field.key] = string
        } else if case .null = field.value.content {
          // The API reads null as the empty string here.
          result[field.key] = ""
        } else {
          reading.at(.key(field.key)) { mismatch(field.value, "a string") }
        }
      }
      return result
    }
  }

  // A string of a list.
  func text(_ value: MarkedValue) -> String? {
    if let string = value.string { return string }
    mismatch(value, "a string")
    return nil
  }
}
