/// Durations as Go and Kubernetes write them: `5s`, `1h30m`, `200ms`, `1.5h`.
public enum DurationText {
  /// Why a text is not a duration.
  public enum ParseError: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed(String)
    case tooLong(String)

    public var description: String {
      switch self {
      case .malformed(let text): "must be a duration as 200ms, 5s or 1h30m, not '\(text)'"
      case .tooLong(let text): "'\(text)' is longer than a year"
      }
    }
  }

  /// The longest duration that is accepted: 365 days, in seconds.
  public static let maximum = 365.0 * 86400

  /// Seconds, from 0 to ``maximum``. Units are h, m, s, ms, us, µs and ns, in any order; only `0` needs none.
  public static func seconds(_ text: String) throws(ParseError) -> Double {
    if text == "0" { return 0 }
    var rest = text.utf8[...]
    guard (2...64).contains(rest.count) else { throw .malformed(text) }
    var total = 0.0
    while !rest.isEmpty {
      let number = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: ".") }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: ".")) }
      rest = rest.dropFirst(unit.count)
      guard let scale = scale(Substring(unit)), let value = value(Substring(number)) else { throw .malformed(text) }
      total += value * scale
    }
    guard total <= maximum else { throw .tooLong(text) }
    return total
  }

  private static func value(_ digits: Substring) -> Double? {
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    // "1.", ".5" and "1.5" are numbers in Go; "." and "1.2.3" are not.
    guard parts.count <= 2, digits != ".", !digits.isEmpty else { return nil }
    return Double("0\(digits)\(digits.hasSuffix(".") ? "0" : "")")
  }

  private static func scale(_ unit: Substring) -> Double? {
    switch unit {
    case "h": 3600
    case "m": 60
    case "s": 1
    case "ms": 1e-3
    // Both of Unicode's micro signs, as in Go.
    case "us", "\u{B5}s", "\u{3BC}s": 1e-6
    case "ns": 1e-9
    default: nil
    }
  }
}
