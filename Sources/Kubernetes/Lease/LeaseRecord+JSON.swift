extension LeaseRecord {
  /// What a Lease object says; nil where it has no version.
  static func read(_ object: MarkedValue) -> LeaseRecord? {
    guard let version = object["metadata"]?["resourceVersion"]?.string else { return nil }
    let spec = object["spec"]
    var record = LeaseRecord(resourceVersion: version)
    record.holderIdentity = spec?["holderIdentity"]?.string ?? ""
    if let seconds = spec?["leaseDurationSeconds"]?.integer, seconds > 0 { record.leaseDurationSeconds = seconds }
    if let text = spec?["acquireTime"]?.string { record.acquireTime = MicroTime(text) }
    if let text = spec?["renewTime"]?.string { record.renewTime = MicroTime(text) }
    record.leaseTransitions = spec?["leaseTransitions"]?.integer ?? 0
    return record
  }

  /// The answer of the API server, in UTF-8.
  init(json: [UInt8]) throws(APIError) {
    guard let object = try? JSONText.documents(json).first, let record = LeaseRecord.read(object) else {
      throw APIError(code: 0, message: "the answer is no Lease")
    }
    self = record
  }

  /// The object to create.
  func object(namespace: String, name: String) -> [UInt8] {
    let metadata = "{\"name\":\(Self.quoted(name)),\"namespace\":\(Self.quoted(namespace))}"
    return Array(
      "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":\(metadata),\"spec\":\(spec)}".utf8)
  }

  /// A merge patch (RFC 7386) that the server takes only while the object is still of ``resourceVersion``, and that
  /// leaves alone what others wrote beside these fields.
  var mergePatch: [UInt8] {
    Array("{\"metadata\":{\"resourceVersion\":\(Self.quoted(resourceVersion))},\"spec\":\(spec)}".utf8)
  }

  private var spec: String {
    var fields = ["\"holderIdentity\":\(Self.quoted(holderIdentity))", "\"leaseTransitions\":\(leaseTransitions)"]
    if let leaseDurationSeconds { fields.append("\"leaseDurationSeconds\":\(leaseDurationSeconds)") }
    if let acquireTime { fields.append("\"acquireTime\":\"\(acquireTime)\"") }
    if let renewTime { fields.append("\"renewTime\":\"\(renewTime)\"") }
    return "{\(fields.joined(separator: ","))}"
  }

  /// `text` as a JSON string (RFC 8259, section 7).
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension MarkedValue {
  /// The number, where this is a whole one.
  fileprivate var integer: Int? {
    guard case .integer(let value) = content else { return nil }
    return value
  }
}
