import HTTPTransport

extension APIError {
  /// Longest message that is kept, in characters.
  private static let longestMessage = 300

  /// What an answer that is no success says: a Status (meta/v1) where the API server wrote it, else its first line.
  init(_ head: HTTPHead, body: [UInt8]) {
    let status = (try? JSONText.documents(Array(body.prefix(64 << 10))))?.first
    let retryAfter = head["Retry-After"].flatMap { Double($0) }.map { min(max($0, 0), 60) }
    if let status, status["kind"]?.string == "Status" {
      self.init(
        code: head.status, reason: status["reason"]?.string ?? "", message: Self.line(status["message"]?.string ?? ""),
        retryAfter: retryAfter)
    } else if 300..<400 ~= head.status {
      let place = head["Location"].map { " to \($0)" } ?? ""
      self.init(code: head.status, message: Self.line("a redirect\(place), which is not followed"))
    } else {
      let text = String(decoding: body.prefix(2048), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
      self.init(
        code: head.status, message: Self.line(text.isEmpty ? "an empty answer" : "not the API's answer: \(text)"),
        retryAfter: retryAfter)
    }
  }

  /// What it means that no answer came.
  init(_ error: HTTPTransportError) {
    if case .idle = error {
      self.init(code: 0, reason: Self.silence, message: error.description)
    } else {
      self.init(code: 0, message: error.description)
    }
  }

  // The API's own word for it.
  private static let silence = "Timeout"

  /// The server took the request, and then nothing came.
  var isSilence: Bool { code == 0 && reason == Self.silence }

  /// Without control characters, which could forge lines of a log.
  static func line(_ text: String) -> String {
    String(
      text.prefix(longestMessage).map { $0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? " " : $0 })
  }
}
