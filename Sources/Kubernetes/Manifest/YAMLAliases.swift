/// Refuses YAML that would keep the parser busy for ever.
///
/// The parser hashes every mapping key whole. A key made of aliases of aliases has exponentially many values, so a
/// text with more than a few aliases must not use anything but words as keys. No manifest does.
enum YAMLAliases {
  /// Below this many aliases even the worst key is small.
  private static let harmlessCount = 16

  static func check(_ text: String) throws(SyntaxError) {
    var text = text
    let finding: Finding = text.withUTF8 { bytes in
      // The buffer lives as long as this closure; nothing of it leaves.
      unsafe scan(bytes)
    }
    if finding.aliases >= harmlessCount, let line = finding.complexKeyLine {
      throw SyntaxError(line: line, message: "a list, a mapping or an alias as a key is not supported beside aliases")
    }
  }

  private struct Finding {
    var aliases = 0
    var complexKeyLine: Int?
  }

  private static func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> Finding {
    var finding = Finding()
    var line = 1
    // Whether the last token could be a whole key: an alias, or a closed list or mapping.
    var couldBeKey = false
    var previous = UInt8(ascii: "\n")
    var isInAlias = false
    for index in bytes.indices {
      let byte = unsafe bytes[index]
      let beginsToken =
        isSpace(previous) || previous == UInt8(ascii: "[") || previous == UInt8(ascii: "{")
        || previous == UInt8(ascii: ",")
      if isInAlias, !isName(byte) { isInAlias = false }
      switch byte {
      case UInt8(ascii: "\n"): line += 1
      case UInt8(ascii: "*") where beginsToken:
        finding.aliases += 1
        isInAlias = true
        couldBeKey = true
      case UInt8(ascii: "]"), UInt8(ascii: "}"): couldBeKey = true
      case UInt8(ascii: "?") where beginsToken:
        let next = unsafe index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: "\n")
        if isSpace(next) { finding.complexKeyLine = finding.complexKeyLine ?? line }
        couldBeKey = false
      case UInt8(ascii: ":"):
        if couldBeKey { finding.complexKeyLine = finding.complexKeyLine ?? line }
        couldBeKey = false
      default: if !isInAlias, !isSpace(byte) { couldBeKey = false }
      }
      previous = byte
    }
    return finding
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  private static func isName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
