/// Why the allocation store cannot be used; the text names the path and what to do.
public enum AllocationStoreError: Error, Hashable, Sendable {
  /// A system call on `path` failed; `doing` as in "write".
  case system(doing: String, path: String, reason: String)
  /// Another process has the directory; its id where it is known.
  case inUse(directory: String, process: String)
  /// The file is not one that Roadstead wrote.
  case foreign(path: String)
  /// The file is of a format this Roadstead does not know.
  case otherVersion(path: String, version: Int)
  /// The file is Roadstead's and not whole, or was edited.
  case damaged(path: String, what: String)
}

extension AllocationStoreError: CustomStringConvertible {
  public var description: String {
    let left = "it is left as it is; move it away to start without it"
    return switch self {
    case .system(let doing, let path, let reason): "cannot \(doing) \(path): \(reason)"
    case .inUse(let directory, let process):
      "state directory \(directory) is in use by another roadstead\(process.isEmpty ? "" : " (process \(process))")"
    case .foreign(let path): "\(path) was not written by roadstead; \(left)"
    case .otherVersion(let path, let version):
      "\(path) has format version \(version), and this roadstead knows \(AllocationFile.version); \(left)"
    case .damaged(let path, let what): "\(path) is damaged: \(what); \(left)"
    }
  }
}
