/// One request. Header values and the token must not hold control characters: such a request is refused.
public struct HTTPRequest: Hashable, Sendable {
  /// A header's name and value.
  public struct Header: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var method: String
  /// Absolute, percent-encoded.
  public var url: String
  public var headers: [Header]
  /// Sent as `Authorization: Bearer`; never part of any description or log.
  public var bearerToken: String?
  public var body: [UInt8]?

  public init(
    _ method: String = "GET", _ url: String, headers: [Header] = [], bearerToken: String? = nil, body: [UInt8]? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.bearerToken = bearerToken
    self.body = body
  }
}

// Neither printing nor dump(_:) shows the token, a header's value or the body.
extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "\(method) \(url)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["method": method, "url": url]) }
}
