/// The state of one manifest file, as `status` shows it.
public struct ManifestFile: Hashable, Sendable {
  /// Whether what is served is what the file says.
  public enum State: String, Hashable, Sendable, CaseIterable {
    /// Read whole.
    case good
    /// Some objects have errors; their last good versions are kept where there are any.
    case partlyStale = "partly stale"
    /// Cannot be read or parsed: all of its objects are as of the last good reading.
    case stale
    /// Cannot be read or parsed, and never could.
    case unreadable
  }

  /// As the user named it, or the directory that the user named and the file's name.
  public var path: String
  public var state: State
  /// Objects that are served from it.
  public var objectCount: Int

  public init(path: String, state: State, objectCount: Int) {
    self.path = path
    self.state = state
    self.objectCount = objectCount
  }
}
