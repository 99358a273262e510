/// Where an object was read.
public struct ObjectSource: Hashable, Sendable, CustomStringConvertible {
  /// The file, as the user named it; empty for the API server.
  public var file: String
  /// The line where the object begins; 0 where there are no lines.
  public var line: Int

  public init(file: String = "", line: Int = 0) {
    self.file = file
    self.line = line
  }

  /// `FILE:LINE`.
  public var description: String { line > 0 ? "\(file):\(line)" : file }
}
