/// What one file, or one list from the API server, contained.
struct ManifestContent: Sendable {
  /// An object and where it begins.
  struct Entry: Sendable {
    let object: KubernetesObject
    let line: Int
  }

  /// Without errors, in the order of the text.
  private(set) var entries: [Entry] = []
  /// Objects that were there but have an error: whoever has an earlier version keeps it.
  private(set) var invalid: Set<ObjectReference> = []
  private(set) var problems: [ManifestProblem] = []

  private let file: String

  /// Reads all objects of `bytes`. Throws when the text as a whole is neither YAML nor JSON.
  init(_ bytes: [UInt8], file: String) throws(SyntaxError) {
    self.file = file
    for document in try Self.documents(bytes, isJSON: file.hasSuffix(".json")) { read(document) }
  }

  /// The documents of a file as they stand. `isJSON`: it can be nothing else.
  static func documents(_ bytes: [UInt8], isJSON: Bool) throws(SyntaxError) -> [MarkedValue] {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw SyntaxError(line: 1, message: "is UTF-16; manifests are UTF-8")
    }
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    guard let text = String(validating: body, as: UTF8.self) else {
      throw SyntaxError(line: lineOfBadByte(body), message: "is not UTF-8")
    }
    if isJSON { return try JSONText.documents(body) }
    // As kubectl: what begins with a brace is JSON first, and a YAML flow mapping only if that fails.
    if body.first(where: { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }) == UInt8(ascii: "{") {
      if let documents = try? JSONText.documents(body) { return documents }
    }
    return try YAMLText.documents(text)
  }

  private static func lineOfBadByte(_ bytes: [UInt8]) -> Int {
    var line = 1
    for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil { return line }
      line += 1
    }
    return 1
  }

  // `impliedKind`: the API server leaves kind and apiVersion out of the items of a typed list.
  private mutating func read(_ document: MarkedValue, impliedKind: ObjectKind? = nil) {
    let reading = ObjectReading(file: file)
    defer { problems += reading.problems }
    guard case .map(let fields) = document.content else {
      return reading.error(document.line, "an object must be a mapping, not \(document.article)")
    }
    reading.kind = document["kind"]?.string ?? impliedKind?.rawValue ?? ""
    reading.name = document["metadata"]?["name"]?.string ?? ""
    reading.namespace = document["metadata"]?["namespace"]?.string ?? ""

    let head = FieldReader(fields, line: document.line, unchecked: reading)
    let kindName = head.string("kind", required: impliedKind == nil) ?? impliedKind?.rawValue
    let apiVersion = head.string("apiVersion", required: impliedKind == nil) ?? impliedKind?.apiVersion
    guard let kindName, let apiVersion, !reading.hasError else { return }
    if kindName.hasSuffix("List"), case .list(let items)? = document["items"]?.content {
      return readList(kindName, apiVersion, items, reading, line: document.line)
    }
    guard let kind = kind(kindName, apiVersion, head) else { return }
    guard let name = name(kind, head) else { return }
    reading.namespace = name.namespace

    let reader = FieldReader(fields, line: document.line, KubernetesObject.fieldNames(of: kind), reading)
    let metadata = reader.map("metadata", ObjectMeta.fieldNames) { ObjectMeta($0, name: name) }
    guard let metadata else { return }
    let object = KubernetesObject(kind, reader, metadata: metadata)
    if reading.hasError {
      invalid.insert(object.reference)
    } else {
      entries.append(Entry(object: object, line: document.line))
    }
  }

  private mutating func readList(
    _ kindName: String, _ apiVersion: String, _ items: [MarkedValue], _ reading: ObjectReading, line: Int
  ) {
    if kindName == "List" {
      for item in items { read(item) }
      return
    }
    let kind = ObjectKind(rawValue: String(kindName.dropLast(4)))
    guard let kind, kind.apiVersion == apiVersion else {
      return reading.report(.notice, line, "\(apiVersion) \(kindName) is not read; skipped")
    }
    for item in items { read(item, impliedKind: kind) }
  }

  // The kind, where it is one that is read. A kind that looks misspelt is an error, so that its object is not lost.
  private mutating func kind(_ name: String, _ apiVersion: String, _ head: FieldReader) -> ObjectKind? {
    let group = ObjectKind.group(of: apiVersion)
    if let kind = ObjectKind(rawValue: name), kind.group == group {
      if kind.apiVersion == apiVersion { return kind }
      head.error("apiVersion", "\(name) is read in version \(kind.apiVersion), not \(apiVersion)")
      markInvalid(kind, head)
      return nil
    }
    let ofGroup = ObjectKind.allCases.filter { $0.group == group }
    if !Self.otherKinds.contains(name), let word = Suggestion.closest(to: name, among: ofGroup.map(\.rawValue)) {
      head.error("kind", "unknown kind '\(name)'; did you mean '\(word)'?")
      if let kind = ObjectKind(rawValue: word) { markInvalid(kind, head) }
      return nil
    }
    head.reading.report(.notice, head.line, "\(apiVersion) \(name) is not read; skipped")
    return nil
  }

  // Kubernetes' own kinds whose names are close to those that are read.
  private static let otherKinds: Set<String> = ["PodTemplate", "Binding", "Secret", "Event", "Endpoint"]

  private mutating func markInvalid(_ kind: ObjectKind, _ head: FieldReader) {
    guard let name = head.value("metadata")?["name"]?.string else { return }
    let namespace = head.value("metadata")?["namespace"]?.string ?? NamespacedName.defaultNamespace
    invalid.insert(
      ObjectReference(kind, NamespacedName(namespace: kind.isNamespaced ? namespace : "", name: name)))
  }

  private func name(_ kind: ObjectKind, _ head: FieldReader) -> NamespacedName? {
    guard let metadata = head.value("metadata"), case .map(let fields) = metadata.content else {
      head.error("metadata", "is required, as a mapping")
      return nil
    }
    return head.at("metadata") {
      let meta = FieldReader(fields, line: metadata.line, unchecked: head.reading)
      guard let name = meta.string("name", required: true) else { return nil }
      let isValid = kind == .service ? ObjectName.isLabel(name) : ObjectName.isSubdomain(name)
      guard isValid else {
        meta.error(
          "name", "must be \(kind == .service ? "at most 63 of a-z, 0-9 and '-'" : "a DNS name"), not '\(name)'")
        return nil
      }
      guard kind.isNamespaced else { return NamespacedName(namespace: "", name: name) }
      let namespace = meta.dnsLabel("namespace") ?? NamespacedName.defaultNamespace
      return NamespacedName(namespace: namespace, name: name)
    }
  }
}
