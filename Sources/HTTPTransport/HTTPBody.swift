/// The body of a stream, chunk by chunk as bytes arrive. For one reader.
public struct HTTPBody: Sendable {
  private let read: @Sendable () async throws(HTTPTransportError) -> [UInt8]?

  /// `read` gives the next bytes, nil at the end; it is called by one task at a time. What it captures lives as long as
  /// the body: a transport closes the stream when that is let go.
  public init(_ read: @escaping @Sendable () async throws(HTTPTransportError) -> [UInt8]?) { self.read = read }

  /// The next bytes, as they come; nil at the end. Cancelling the task ends the stream and throws `.cancelled`.
  public func next() async throws(HTTPTransportError) -> [UInt8]? { try await read() }
}
