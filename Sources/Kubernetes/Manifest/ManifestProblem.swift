/// One thing that is wrong with a manifest or with an object of the API server, or worth knowing about it.
public struct ManifestProblem: Hashable, Sendable {
  /// How bad it is.
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// The object, or the file, is not used as it stands.
    case error
    /// Used, but probably not as meant.
    case warning
    /// Skipped on purpose.
    case notice
  }

  public var severity: Severity
  /// As the user named it; empty for the API server.
  public var file: String
  /// Counted from 1; nil where the whole file is meant, or there is none.
  public var line: Int?
  /// As the manifest spells it; empty where it names none.
  public var kind: String
  /// Empty where the object has none, or it is unknown.
  public var namespace: String
  public var name: String
  /// As `spec.ports[0].targetPort`; empty where the whole object is meant.
  public var field: String
  public var message: String

  public init(
    _ severity: Severity, file: String, line: Int? = nil, kind: String = "", namespace: String = "",
    name: String = "", field: String = "", message: String
  ) {
    self.severity = severity
    self.file = file
    self.line = line
    self.kind = kind
    self.namespace = namespace
    self.name = name
    self.field = field
    self.message = message
  }
}

extension ManifestProblem: CustomStringConvertible {
  /// `FILE:LINE: KIND/NAME: FIELD: what is wrong`, or from `KIND` on where there is no file; in one line
  /// whatever the manifest contains.
  ///
  /// The namespace stands before the name where it is not `default`.
  public var description: String {
    switch severity {
    case .error: text("")
    case .warning: text("warning: ")
    case .notice: text("notice: ")
    }
  }

  /// The description without its severity: for a log, which says that itself.
  public var logMessage: String { text("") }

  private func text(_ severity: String) -> String {
    var text = line.map { "\(file):\($0): " } ?? (file.isEmpty ? "" : "\(file): ")
    if !kind.isEmpty {
      let isDefault = namespace.isEmpty || namespace == NamespacedName.defaultNamespace
      text += name.isEmpty ? "\(kind): " : isDefault ? "\(kind)/\(name): " : "\(kind)/\(namespace)/\(name): "
    }
    if !field.isEmpty { text += "\(field): " }
    return Self.oneLine(text + severity + message)
  }

  // Control characters could forge lines or steer a terminal.
  private static func oneLine(_ text: String) -> String {
    func isControl(_ scalar: Unicode.Scalar) -> Bool {
      scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value || 0x2028...0x2029 ~= scalar.value
        || 0x202A...0x202E ~= scalar.value || 0x2066...0x2069 ~= scalar.value
    }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var clean = ""
    for scalar in text.unicodeScalars {
      if isControl(scalar) {
        clean += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        clean.unicodeScalars.append(scalar)
      }
    }
    return clean
  }
}
