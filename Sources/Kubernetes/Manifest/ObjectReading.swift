/// Where the reader is within one object, and what it has found wrong so far.
final class ObjectReading {
  /// A step from a value to one inside it.
  enum Step {
    case field(String)
    case index(Int)
    /// A key of a free mapping, as an annotation's.
    case key(String)
  }

  /// Empty for the API server.
  let file: String
  /// Whether a field that nobody knows is worth a warning. Not from the API server, which may be newer than this.
  let reportsUnknownFields: Bool
  var kind = ""
  var namespace = ""
  var name = ""
  private var path: [Step] = []
  private(set) var problems: [ManifestProblem] = []
  private(set) var hasError = false

  init(file: String, reportsUnknownFields: Bool = true) {
    self.file = file
    self.reportsUnknownFields = reportsUnknownFields
  }

  /// Runs `body` one step further inside.
  func at<T>(_ step: Step, _ body: () -> T) -> T {
    path.append(step)
    defer { path.removeLast() }
    return body()
  }

  func error(_ line: Int, _ message: String) { report(.error, line, message) }

  func report(_ severity: ManifestProblem.Severity, _ line: Int, _ message: String) {
    if severity == .error { hasError = true }
    // A file of a million mistakes is told apart from one of twenty by the last line.
    guard problems.count < Self.maximalProblems else { return }
    problems.append(
      ManifestProblem(
        severity, file: file, line: file.isEmpty ? nil : line, kind: kind, namespace: namespace, name: name,
        field: fieldPath,
        message: problems.count == Self.maximalProblems - 1
          ? "\(message) (further problems of this object left out)" : message))
  }

  private static let maximalProblems = 50

  private var fieldPath: String {
    var text = ""
    for step in path {
      switch step {
      case .field(let name): text += text.isEmpty ? name : ".\(name)"
      case .index(let index): text += "[\(index)]"
      case .key(let key): text += "[\(key)]"
      }
    }
    return text
  }
}
