import FoundationEssentials

extension AdminState {
  /// The JSON text in UTF-8: indented, keys in alphabetical order, one newline at the end.
  public func json() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Strings, integers and Bools alone: there is no value here that JSON cannot say.
    guard let data = try? encoder.encode(self) else { return Array("{}\n".utf8) }
    return Array(data) + [UInt8(ascii: "\n")]
  }

  /// Reads what ``json()`` wrote, here or in another version; unknown fields are skipped.
  public init(json: some Sequence<UInt8>) throws(AdminError) {
    do {
      self = try JSONDecoder().decode(AdminState.self, from: Data(json))
    } catch {
      throw AdminError(.answer, "the answer is not the state of a roadstead: \(AdminState.place(of: error))")
    }
  }

  private static func place(of error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      "no \((context.codingPath + [key]).map(\.stringValue).joined(separator: "."))"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")) has another type"
    default: "it is not JSON"
    }
  }
}
