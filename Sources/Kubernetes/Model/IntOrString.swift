/// A port number, or the name of a container's port (Kubernetes' `IntOrString`, as `targetPort` uses it).
public enum IntOrString: Hashable, Sendable {
  case int(UInt16)
  case string(String)
}

extension IntOrString: CustomStringConvertible {
  public var description: String {
    switch self {
    case .int(let number): "\(number)"
    case .string(let name): name
    }
  }
}

extension IntOrString {
  /// Reads a port number from 1 to 65535, or a port name (RFC 6335: at most 15 of a-z, 0-9 and `-`, with a letter).
  init?(_ value: MarkedValue, _ reading: ObjectReading) {
    switch value.content {
    case .integer(let number):
      guard let port = UInt16(exactly: number), port > 0 else {
        reading.error(value.line, "must be between 1 and 65535, not \(number)")
        return nil
      }
      self = .int(port)
    case .string(let name):
      guard Self.isPortName(name) else {
        reading.error(
          value.line,
          Int(name) == nil
            ? "must be a port number or a port name (at most 15 of a-z, 0-9 and '-', with a letter), not '\(name)'"
            : "is a number in quotes; a port number is written without them")
        return nil
      }
      self = .string(name)
    default:
      reading.error(value.line, "must be a port number or a port name, not \(value.article)")
      return nil
    }
  }

  /// Whether `name` may name a port (RFC 6335 section 5.1).
  static func isPortName(_ name: String) -> Bool {
    let bytes = name.utf8
    guard (1...15).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-") else {
      return false
    }
    var hasLetter = false
    var previous: UInt8 = 0
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): hasLetter = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "-"): if previous == byte { return false }
      default: return false
      }
      previous = byte
    }
    return hasLetter
  }
}
