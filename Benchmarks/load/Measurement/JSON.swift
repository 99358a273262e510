/// The few forms of JSON that a result needs.
enum JSON {
  /// A string with what JSON wants escaped.
  static func string(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 32: quoted += " "
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  /// Seconds to the microsecond.
  static func seconds(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "0" }
    return "\((seconds * 1e6).rounded() / 1e6)"
  }
}
