/// Why a kubeconfig, or the service account of a pod, cannot be used. No token or key is ever in it.
public struct KubeConfigError: Error, Hashable, Sendable {
  /// As the user named it; empty where no file is meant.
  public var file: String
  /// Counted from 1; nil where the whole file is meant.
  public var line: Int?
  /// As `clusters[0].cluster.server`, or an environment variable; empty where the whole file is meant.
  public var field: String
  public var message: String

  public init(file: String = "", line: Int? = nil, field: String = "", message: String) {
    self.file = file
    self.line = line
    self.field = field
    self.message = message
  }
}

extension KubeConfigError: CustomStringConvertible {
  /// `FILE:LINE: FIELD: what is wrong`, in one line whatever the file contains.
  public var description: String {
    guard !file.isEmpty else { return "\(field.isEmpty ? "" : "\(field): ")\(message)" }
    return ManifestProblem(.error, file: file, line: line, field: field, message: message).description
  }
}
