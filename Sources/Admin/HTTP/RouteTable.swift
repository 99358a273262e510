/// Which handler answers which path.
public struct RouteTable: Sendable {
  /// Called on the server's loop, which waits for it: what takes time answers later, from elsewhere.
  public typealias Handler = @Sendable (HTTPRequest, HTTPResponder) -> Void

  private var handlers: [String: Handler] = [:]
  private var otherwise: Handler?

  /// A table in which every path is answered 404.
  public init() {}

  /// Answers GET and HEAD of exactly `path`.
  public mutating func route(_ path: String, to handler: @escaping Handler) { handlers[path] = handler }

  /// Answers GET and HEAD of every path that has no route.
  public mutating func routeEverythingElse(to handler: @escaping Handler) { otherwise = handler }

  func handler(for path: String) -> Handler? { handlers[path] ?? otherwise }
}
