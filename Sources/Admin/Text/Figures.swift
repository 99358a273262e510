/// Numbers and text as people read them on a terminal.
enum Figures {
  /// `1 endpoint`, `3 endpoints`.
  static func count(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// `idle 3, refused 1`, by name.
  static func list(_ counts: [String: UInt64]) -> String {
    counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  /// `999 B`, `1.5 KiB`, `12 MiB`: three digits at most, units of 1024.
  static func bytes(_ number: UInt64) -> String {
    var unit = 0
    var scale: UInt64 = 1
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while unit + 1 < units.count, number / scale >= 1024 {
      scale *= 1024
      unit += 1
    }
    // Tenths below ten, rounded down: no carry into the next unit.
    let whole = number / scale
    guard unit > 0, whole < 10 else { return "\(whole) \(units[unit])" }
    return "\(whole).\(number % scale * 10 / scale) \(units[unit])"
  }

  /// `12 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`.
  static func duration(seconds: UInt64) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
    case ..<86400: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    default: "\(seconds / 86400) d \(seconds % 86400 / 3600) h"
    }
  }

  /// On one line and without control characters: what came over a socket must not drive a terminal.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var safe = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { safe.append(scalar == "\n" ? " " : isControl(scalar) ? "?" : scalar) }
    return String(safe)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }
}
