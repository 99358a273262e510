/// Where the writers' lines go; the library knows no logging system.
public typealias WriteLog = @Sendable (WriteLogLevel, String) -> Void

/// How much a line matters.
public enum WriteLogLevel: Hashable, Sendable {
  case debug, info, warning, error
}
