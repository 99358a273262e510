/// One line of a watch (meta/v1 WatchEvent).
enum WatchEvent: Sendable {
  /// ADDED or MODIFIED: the object as it is now, at that version.
  case put(ReceivedObject, version: String)
  /// DELETED.
  case removed(ObjectReference, version: String)
  /// BOOKMARK: nothing has happened up to that version.
  case bookmark(version: String)

  /// The version to watch on from.
  var version: String {
    switch self {
    case .put(_, let version), .removed(_, let version), .bookmark(let version): version
    }
  }

  /// Reads one line. Throws `.refused` for ERROR, with what its Status says, and `.malformed` for what is no event.
  init(_ line: [UInt8], of kind: ObjectKind) throws(WatchFailure) {
    let fields: [MarkedValue.Field]
    do throws(SyntaxError) {
      fields = try JSONText.object(line, passingOver: ReceivedObject.passedOver)
    } catch {
      throw .malformed("\(error.message) in a line of the watch")
    }
    let event = MarkedValue(content: .map(fields), line: 1)
    guard let type = event["type"]?.string, let object = event["object"] else {
      throw .malformed("a line of the watch without a type and an object")
    }
    if type == "ERROR" { throw .refused(Self.error(object)) }
    guard let version = object["metadata"]?["resourceVersion"]?.string, !version.isEmpty, version != "0" else {
      throw .malformed("a \(type) event without a resourceVersion")
    }
    switch type {
    case "ADDED", "MODIFIED": self = .put(try ReceivedObject(object, of: kind), version: version)
    case "DELETED": self = .removed(try ReceivedObject(object, of: kind).reference, version: version)
    case "BOOKMARK": self = .bookmark(version: version)
    default: throw .malformed("an event of type '\(type)'")
    }
  }

  private static func error(_ status: MarkedValue) -> APIError {
    var error = APIError(
      code: 500, reason: status["reason"]?.string ?? "", message: APIError.line(status["message"]?.string ?? "no words")
    )
    if case .integer(let code)? = status["code"]?.content { error.code = code }
    if case .integer(let seconds)? = status["details"]?["retryAfterSeconds"]?.content {
      error.retryAfter = Double(min(max(seconds, 0), 60))
    }
    return error
  }
}
