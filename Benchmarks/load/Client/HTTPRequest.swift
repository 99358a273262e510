/// The request that a web server gets.
enum HTTPRequest {
  static func bytes(for target: Target, closes: Bool) -> [UInt8] {
    Array(
      """
      GET \(target.path) HTTP/1.1\r
      Host: \(target.address)\r
      \(closes ? "Connection: close\r\n" : "")\r\n
      """.utf8)
  }
}
