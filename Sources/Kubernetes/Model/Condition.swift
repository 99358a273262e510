/// One of `status.conditions`.
public struct Condition: Hashable, Sendable {
  /// As `Ready`.
  public var type: String
  public var status: Status
  /// One word in the API's way, as `ContainersNotReady`.
  public var reason: String?

  public init(type: String, status: Status, reason: String? = nil) {
    self.type = type
    self.status = status
    self.reason = reason
  }

  /// Whether the condition holds.
  public enum Status: String, Hashable, Sendable, CaseIterable {
    case `true` = "True"
    case `false` = "False"
    case unknown = "Unknown"
  }
}

extension Condition {
  static let fieldNames = FieldNames(
    "lastHeartbeatTime lastProbeTime lastTransitionTime message observedGeneration reason status type")

  init(_ fields: FieldReader) {
    self.init(
      type: fields.string("type", required: true) ?? "",
      status: fields.choice("status", Status.self, required: true) ?? .unknown,
      reason: fields.string("reason"))
  }
}
