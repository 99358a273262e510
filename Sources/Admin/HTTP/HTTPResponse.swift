/// A status, a few headers and a body. The server adds `Content-Length`, `Date` and `Connection`.
public struct HTTPResponse: Hashable, Sendable {
  /// 200 to 599.
  public var status: UInt16
  public var contentType: String
  /// Beside `Content-Type`; a value with a line break is left out.
  public var headers: [String: String]
  public var body: [UInt8]

  public init(
    _ status: UInt16 = 200, contentType: String = "text/plain; charset=utf-8", headers: [String: String] = [:],
    body: [UInt8]
  ) {
    self.status = status
    self.contentType = contentType
    self.headers = headers
    self.body = body
  }

  /// A line of plain text, to which a newline is added.
  public static func text(_ line: String, status: UInt16 = 200) -> HTTPResponse {
    HTTPResponse(status, body: Array(line.utf8) + [UInt8(ascii: "\n")])
  }

  /// JSON in UTF-8.
  public static func json(_ body: [UInt8]) -> HTTPResponse { HTTPResponse(contentType: "application/json", body: body) }
}
