/// Status and headers of one response.
public struct HTTPHead: Hashable, Sendable {
  public let status: Int
  public let headers: [HTTPRequest.Header]

  public init(status: Int, headers: [HTTPRequest.Header] = []) {
    self.status = status
    self.headers = headers
  }

  /// The first value of a header; names compare without case.
  public subscript(name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// A whole response.
public struct HTTPResponse: Hashable, Sendable {
  public let head: HTTPHead
  public let body: [UInt8]

  public init(head: HTTPHead, body: [UInt8]) {
    self.head = head
    self.body = body
  }
}

/// A response whose body is still arriving.
public struct HTTPStream: Sendable {
  public let head: HTTPHead
  public let body: HTTPBody

  public init(head: HTTPHead, body: HTTPBody) {
    self.head = head
    self.body = body
  }
}
