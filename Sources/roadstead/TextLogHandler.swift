import Admin
import Glibc
import Logging

/// Logs to standard error: `2026-01-31T12:00:00Z warning: text`, or a JSON object a line.
struct TextLogHandler: LogHandler {
  /// `--log-format`.
  enum Format: String, CaseIterable, Sendable { case text, json }

  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  let format: Format

  init(level: Logger.Level, format: Format) {
    logLevel = level
    self.format = format
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let now = RFC3339.text(unixSeconds: time(nil))
    let text = "\(event.message)"
    let line =
      switch format {
      case .text: "\(now) \(event.level): \(text)\n"
      case .json: "{\"time\":\"\(now)\",\"level\":\"\(event.level)\",\"message\":\(JSONString.quoted(text))}\n"
      }
    // One write a line, so that lines of several threads do not mix.
    _ = unsafe line.withCString { unsafe write(STDERR_FILENO, $0, strlen($0)) }
  }
}

/// A text as a JSON string (RFC 8259, section 7).
enum JSONString {
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
