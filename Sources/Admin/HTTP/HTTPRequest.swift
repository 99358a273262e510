/// A request for a path; its method is GET or HEAD, and it has no body.
public struct HTTPRequest: Hashable, Sendable {
  /// The methods that are answered; HEAD as GET without the body.
  public enum Method: String, Hashable, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
  }

  public let method: Method
  /// Without the query; percent escapes are decoded.
  public let path: String

  public init(method: Method = .get, path: String) {
    self.method = method
    self.path = path
  }
}
