/// An object as the API server gave it, read; or what is wrong with it.
struct ReceivedObject: Sendable {
  let reference: ObjectReference
  /// nil where it has an error: whoever has an earlier version keeps it.
  let object: KubernetesObject?
  /// Without a file and lines.
  let problems: [ManifestProblem]

  /// Reads the object of `kind`. Fields that nobody knows are quiet: the server may be newer than this.
  ///
  /// Throws where there is no telling which object it is: then the answer is not the API's.
  init(_ value: MarkedValue, of kind: ObjectKind) throws(WatchFailure) {
    guard case .map(let fields) = value.content else {
      throw .malformed("a \(kind.rawValue) that is \(value.article)")
    }
    // The items of typed lists leave their kind out.
    if let other = value["kind"], other.string != kind.rawValue {
      throw .malformed("\(other.string ?? other.article) where a \(kind.rawValue) should be")
    }
    guard case .map(let metadata)? = value["metadata"]?.content, let name = value["metadata"]?["name"]?.string,
      ObjectName.isSubdomain(name)
    else { throw .malformed("a \(kind.rawValue) without a proper name") }
    let namespace = kind.isNamespaced ? value["metadata"]?["namespace"]?.string ?? "" : ""
    guard !kind.isNamespaced || ObjectName.isLabel(namespace) else {
      throw .malformed("\(kind.rawValue)/\(name) without a proper namespace")
    }

    let reading = ObjectReading(file: "", reportsUnknownFields: false)
    reading.kind = kind.rawValue
    reading.name = name
    reading.namespace = namespace
    let fullName = NamespacedName(namespace: namespace, name: name)
    let reader = FieldReader(fields, line: 0, unchecked: reading)
    let meta = reader.at("metadata") {
      ObjectMeta(FieldReader(metadata, line: 0, unchecked: reading), name: fullName)
    }
    let object = KubernetesObject(kind, reader, metadata: meta)
    reference = ObjectReference(kind, fullName)
    self.object = reading.hasError ? nil : object
    problems = reading.problems
  }

  /// What is read over: long, and of no use here. Labels and annotations of these names are read all the same.
  static let passedOver = ["managedFields", "images"]
}
