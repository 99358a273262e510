/// Base64 (RFC 4648, section 4), with white space anywhere, as YAML folds long lines.
enum Base64 {
  /// Why a text is not base64. Says where, and nothing of what stands there.
  struct DecodingError: Error, Hashable {
    let message: String
  }

  static func decode(_ text: String) throws(DecodingError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 4 * 3)
    var group: UInt32 = 0
    var count = 0
    var padding = 0
    for (offset, character) in text.utf8.enumerated() {
      if character == 0x20 || 0x09...0x0D ~= character { continue }
      if character == UInt8(ascii: "=") {
        padding += 1
        guard padding <= 2 else { throw DecodingError(message: "is not base64: it ends in more than two '='") }
        continue
      }
      guard let value = value(of: character) else {
        throw DecodingError(message: "is not base64: character \(offset + 1) does not belong there")
      }
      guard padding == 0 else { throw DecodingError(message: "is not base64: it goes on after a '='") }
      group = group << 6 | value
      count += 1
      if count % 4 == 0 {
        bytes += [UInt8(group >> 16 & 0xFF), UInt8(group >> 8 & 0xFF), UInt8(group & 0xFF)]
        group = 0
      }
    }
    guard (count + padding) % 4 == 0 else { throw DecodingError(message: "is not base64: it is cut short") }
    switch count % 4 {
    case 2: bytes.append(UInt8(group >> 4 & 0xFF))
    case 3: bytes += [UInt8(group >> 10 & 0xFF), UInt8(group >> 2 & 0xFF)]
    default: break
    }
    return bytes
  }

  private static func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
