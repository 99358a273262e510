/// What went wrong with the admin port, on either side of it.
public struct AdminError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of an ``AdminError``.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    /// The text is not an admin address.
    case address
    /// Another process has the address.
    case inUse
    /// The system refused to listen.
    case system
    /// Nobody answers there.
    case unreachable
    /// What answers is not a roadstead, or says that it failed.
    case answer
    /// There is no such Service, or more than one.
    case name
  }

  public let code: Code
  /// One sentence for people, with the address, path or name it is about.
  public let description: String

  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
