import HTTPTransport

/// A context of a kubeconfig: the names of a cluster and a user.
struct KubeConfigContext {
  static let fieldNames = FieldNames("cluster user namespace extensions")

  let name: String
  let cluster: String
  /// Empty where nobody is named, as for a server that asks for nothing.
  let user: String
  let namespace: String?
  /// Where in the list it stands.
  private let index: Int

  /// The context `wanted`, or the current one. nil after an error was reported.
  static func choose(_ wanted: String?, _ top: FieldReader) -> KubeConfigContext? {
    if let kind = top.string("kind"), kind != "Config" { top.error("kind", "must be Config: this is no kubeconfig") }
    if let version = top.string("apiVersion"), version != "v1" { top.error("apiVersion", "must be v1") }
    guard !top.reading.hasError else { return nil }
    let field = wanted == nil ? "current-context" : "contexts"
    guard let name = wanted ?? top.string("current-context"), !name.isEmpty else {
      if !top.reading.hasError { top.error(field, "names no context\(top.choices("contexts"))") }
      return nil
    }
    let found = top.entry("contexts", name, "context", fieldNames) { (reader, index) -> KubeConfigContext? in
      guard let cluster = reader.string("cluster", required: true) else { return nil }
      let namespace = reader.string("namespace")
      return KubeConfigContext(
        name: name, cluster: cluster, user: reader.string("user") ?? "",
        namespace: namespace == "" ? nil : namespace, index: index)
    }
    if found == nil, !top.reading.hasError {
      top.error(field, "there is no context '\(name)'\(top.choices("contexts"))")
    }
    return found
  }

  /// Reads cluster and user. nil after an error was reported.
  func connection(_ top: FieldReader) -> ClusterConnection? {
    let cluster = top.entry("clusters", cluster, "cluster", KubeConfigCluster.fieldNames) { reader, _ in
      KubeConfigCluster(reader)
    }
    if cluster == nil, !top.reading.hasError { missing("cluster", self.cluster, "clusters", top) }
    var user = KubeConfigUser()
    if !self.user.isEmpty {
      let found = top.entry("users", self.user, "user", KubeConfigUser.fieldNames) { reader, _ in
        KubeConfigUser(reader, isEncrypted: cluster?.isEncrypted ?? true)
      }
      if let found { user = found } else if !top.reading.hasError { missing("user", self.user, "users", top) }
    }
    guard let cluster, !top.reading.hasError else { return nil }
    var tls = cluster.tls
    tls.certificate = user.certificate
    tls.privateKey = user.privateKey
    return ClusterConnection(
      name: name, server: cluster.server, options: TransportOptions(tls: tls), token: user.token, namespace: namespace)
  }

  private func missing(_ field: String, _ name: String, _ list: String, _ top: FieldReader) {
    // The context is there and has the field: that is where its name comes from.
    guard case .list(let entries)? = top.value("contexts")?.content else { return }
    let line = entries[index]["context"]?[field]?.line ?? entries[index].line
    top.reading.at(.field("contexts")) {
      top.reading.at(.index(index)) {
        top.reading.at(.field("context")) {
          top.reading.at(.field(field)) {
            top.reading.error(line, "there is no \(field) '\(name)'\(top.choices(list))")
          }
        }
      }
    }
  }
}

extension FieldReader {
  /// The entry called `name` of one of a kubeconfig's lists, whose content stands in its field `inner`.
  fileprivate func entry<T>(
    _ list: String, _ name: String, _ inner: String, _ names: FieldNames, _ read: (FieldReader, Int) -> T?
  ) -> T? {
    var index = -1
    var hasFound = false
    return self.list(list) { value -> T? in
      index += 1
      guard case .map(let fields) = value.content, value["name"]?.string == name else { return nil }
      let reader = FieldReader(fields, line: value.line, unchecked: reading)
      guard !hasFound else {
        reader.error("name", "'\(name)' is the name of an entry before")
        return nil
      }
      hasFound = true
      return reader.map(inner, names, required: true) { read($0, index) }.flatMap { $0 }
    }.first
  }

  /// `; there are: a, b`, of the names in one of a kubeconfig's lists.
  fileprivate func choices(_ list: String) -> String {
    guard case .list(let values)? = value(list)?.content else { return "; there are none" }
    let names = values.compactMap { $0["name"]?.string }
    if names.isEmpty { return "; there are none" }
    return "; there are: \(names.prefix(10).joined(separator: ", "))\(names.count > 10 ? ", …" : "")"
  }
}
