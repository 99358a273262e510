/// Sends HTTP requests. ``CurlTransport`` does so over the network; tests script one.
///
/// Any thread and any task may call.
public protocol HTTPTransport: Sendable {
  /// Sends `request` and returns the whole answer, whatever its status.
  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse

  /// Sends `request` and returns once the head has come; the body follows as it arrives.
  ///
  /// Cancelling the reading task, or dropping the body, closes the stream.
  func stream(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPStream
}
