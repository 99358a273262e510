extension AdminState {
  /// One place that the configuration comes from: a manifest file, a directory, an API server, the command line.
  public struct Source: Codable, Hashable, Sendable {
    /// The file's path as it was given, or another name, as `--listen`.
    public var name: String
    /// In the order of the file.
    public var problems: [Problem]

    public init(name: String, problems: [Problem] = []) {
      self.name = name
      self.problems = problems
    }
  }

  /// Something wrong with what was read.
  public struct Problem: Codable, Hashable, Sendable {
    /// How bad a ``Problem`` is.
    public enum Severity: String, Codable, Hashable, Sendable, CaseIterable {
      /// The object, or the file, is not used; its last good state is, where there is one.
      case error
      /// It is used, but perhaps not as its author meant.
      case warning
    }

    public var severity: Severity
    public var file: String?
    /// From 1.
    public var line: Int?
    /// `Kind/name` or `Kind/namespace/name`.
    public var object: String?
    /// The path of the field in the object, as `spec.ports[0].port`.
    public var field: String?
    /// What is wrong, without the place.
    public var message: String

    public init(
      _ severity: Severity, file: String? = nil, line: Int? = nil, object: String? = nil, field: String? = nil,
      message: String
    ) {
      self.severity = severity
      self.file = file
      self.line = line
      self.object = object
      self.field = field
      self.message = message
    }
  }
}

extension AdminState.Problem: CustomStringConvertible {
  /// `FILE:LINE: KIND/NAME: FIELD: what is wrong`, without the parts that are not known.
  public var description: String {
    let place = file.map { file in line.map { "\(file):\($0)" } ?? file }
    return [place, object, field, message].compactMap { $0 }.joined(separator: ": ")
  }
}
