import HTTPTransport

/// The API server's REST interface over an ``HTTPTransport``: paths and JSON in, JSON out.
///
/// Any task may use it.
public struct APIClient: Sendable {
  /// How the body of a patch is read (RFC 7386, RFC 6902).
  public enum Patch: String, Sendable {
    case merge = "application/merge-patch+json"
    case json = "application/json-patch+json"
  }

  private let transport: any HTTPTransport
  /// Without a slash at its end: `https://10.0.0.1:6443`.
  public let server: String
  private let token: @Sendable () -> String?

  /// `token` is asked for each request, for tokens are rotated.
  public init(
    transport: any HTTPTransport, server: String, token: @escaping @Sendable () -> String? = { nil }
  ) {
    self.transport = transport
    self.server = server
    self.token = token
  }

  /// `path` with its query, as `/api/v1/services?limit=500`.
  public func get(_ path: String) async throws(APIError) -> [UInt8] { try await answer("GET", path) }

  public func create(_ path: String, _ body: [UInt8]) async throws(APIError) -> [UInt8] {
    try await answer("POST", path, body, type: "application/json")
  }

  public func replace(_ path: String, _ body: [UInt8]) async throws(APIError) -> [UInt8] {
    try await answer("PUT", path, body, type: "application/json")
  }

  public func patch(_ path: String, _ body: [UInt8], _ patch: Patch = .merge) async throws(APIError) -> [UInt8] {
    try await answer("PATCH", path, body, type: patch.rawValue)
  }

  public func delete(_ path: String) async throws(APIError) -> [UInt8] { try await answer("DELETE", path) }

  /// The body of a watch, once the server has accepted it.
  public func watch(_ path: String) async throws(APIError) -> HTTPBody {
    let stream: HTTPStream
    do {
      stream = try await transport.stream(request("GET", path))
    } catch {
      throw APIError(error)
    }
    guard stream.head.status != 200 else { return stream.body }
    throw APIError(stream.head, body: await Self.text(of: stream.body))
  }

  private func answer(
    _ method: String, _ path: String, _ body: [UInt8]? = nil, type: String? = nil
  ) async throws(APIError) -> [UInt8] {
    var request = request(method, path)
    request.body = body
    if let type { request.headers.append(.init("Content-Type", type)) }
    let response: HTTPResponse
    do {
      response = try await transport.send(request)
    } catch {
      throw APIError(error)
    }
    guard 200..<300 ~= response.head.status else { throw APIError(response.head, body: response.body) }
    return response.body
  }

  private func request(_ method: String, _ path: String) -> HTTPRequest {
    HTTPRequest(method, server + path, headers: [.init("Accept", "application/json")], bearerToken: token())
  }

  /// What a refusal says; no more of it than a Status has room for.
  private static func text(of body: HTTPBody) async -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < 64 << 10, let chunk = try? await body.next() { bytes += chunk }
    return bytes
  }
}
