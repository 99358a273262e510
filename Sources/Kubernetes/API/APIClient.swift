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
    let stream = try await send(request("GET", path)) { [transport] request throws(HTTPTransportError) in
      try await transport.stream(request)
    } status: {
      $0.head.status
    }
    guard stream.head.status == 200 else { throw APIError(stream.head, body: await Self.text(of: stream.body)) }
    try Self.checkType(stream.head)
    return stream.body
  }

  private func answer(
    _ method: String, _ path: String, _ body: [UInt8]? = nil, type: String? = nil
  ) async throws(APIError) -> [UInt8] {
    var request = request(method, path)
    request.body = body
    if let type { request.headers.append(.init("Content-Type", type)) }
    let response = try await send(request) { [transport] request throws(HTTPTransportError) in
      try await transport.send(request)
    } status: {
      $0.head.status
    }
    guard 200..<300 ~= response.head.status else { throw APIError(response.head, body: response.body) }
    try Self.checkType(response.head)
    return response.body
  }

  // Once more with a new token where the server refuses one that has been renewed meanwhile.
  private func send<Answer: Sendable>(
    _ request: HTTPRequest, _ exchange: (HTTPRequest) async throws(HTTPTransportError) -> Answer,
    status: (Answer) -> Int
  ) async throws(APIError) -> Answer {
    do throws(HTTPTransportError) {
      let answer = try await exchange(request)
      guard status(answer) == 401, let used = request.bearerToken, let token = token(), token != used else {
        return answer
      }
      var again = request
      again.bearerToken = token
      return try await exchange(again)
    } catch {
      throw APIError(error)
    }
  }

  // A proxy's page with status 200 is no object. An answer that names no type may be one.
  private static func checkType(_ head: HTTPHead) throws(APIError) {
    guard let type = head["Content-Type"] else { return }
    let name = type.prefix { $0 != ";" && !$0.isWhitespace }.lowercased()
    if name == "application/json" { return }
    throw APIError(
      code: head.status, message: APIError.line("not the API's answer (\(name.isEmpty ? "of no type" : name))"))
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
