/// One Event (core/v1) that was sent, or is about to be; the same thing again only raises its count.
struct EventRecord: Sendable {
  /// What makes two events the same.
  struct Key: Hashable, Sendable {
    var kind = ObjectKind.service
    var uid: String?
    var object: NamespacedName
    var isWarning: Bool
    var reason: String
    var message: String
  }

  /// Bytes of a message that the API takes.
  static let longestMessage = 1024
  /// Bytes of a reason, and of the writer's identity, that it takes.
  private static let longestName = 128

  let key: Key
  /// Of the object when it happened.
  let resourceVersion: String?
  /// Of the Event: `OBJECT.HEX`.
  let name: String
  let firstTimestamp: String
  var lastTimestamp: String
  var count = 1
  /// When it last happened, on the ``WriterClock``.
  var time: Double
  /// Whether the API server has it.
  var isCreated = false
  var isQueued = true
  /// Failures in a row.
  var failures = 0

  /// The object to create (core/v1 Event), by the writer `identity`.
  func object(identity: String) -> JSONValue {
    var object: [String: JSONValue] = [
      "apiVersion": .string(key.kind.apiVersion), "kind": .string(key.kind.rawValue),
      "namespace": .string(key.object.namespace), "name": .string(key.object.name),
    ]
    if let uid = key.uid { object["uid"] = .string(uid) }
    if let resourceVersion { object["resourceVersion"] = .string(resourceVersion) }
    return [
      "apiVersion": "v1", "kind": "Event",
      "metadata": ["namespace": .string(key.object.namespace), "name": .string(name)],
      "involvedObject": .map(object), "type": key.isWarning ? "Warning" : "Normal",
      "reason": .string(key.reason.truncated(toBytes: Self.longestName)), "message": .string(key.message),
      "source": ["component": "roadstead"], "reportingComponent": "roadstead",
      "reportingInstance": .string(identity.truncated(toBytes: Self.longestName)),
      "firstTimestamp": .string(firstTimestamp), "lastTimestamp": .string(lastTimestamp), "count": .integer(count),
    ]
  }

  /// The merge patch that says that it happened again.
  var again: JSONValue { ["count": .integer(count), "lastTimestamp": .string(lastTimestamp)] }
}
