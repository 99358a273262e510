extension AdminState {
  /// The Service called `namespace/name`, or `name` where only one namespace has it, or `default`'s.
  ///
  /// Throws ``AdminError/Code/name`` with the names that are close when there is none, or with the candidates when
  /// there are several.
  public func service(named text: String) throws(AdminError) -> Service {
    if let exact = services.first(where: { $0.qualifiedName == text }) { return exact }
    let named = services.filter { $0.name == text }
    if named.count == 1 { return named[0] }
    if let service = named.first(where: { $0.namespace == "default" }) { return service }
    let shown = Figures.printable(text)
    guard named.isEmpty else {
      throw AdminError(
        .name, "there are \(named.count) services '\(shown)': \(Self.list(named.map(\.qualifiedName)))")
    }
    guard !services.isEmpty else { throw AdminError(.name, "there is no service '\(shown)', nor any other") }
    let close = closeNames(to: text)
    throw AdminError(
      .name,
      "there is no service '\(shown)'; "
        + (close.isEmpty
          ? "there are: \(Self.list(services.map(\.qualifiedName)))"
          : "did you mean \(Self.list(close, last: " or "))?"))
  }

  /// The nearest names, at most three of them, by edits on the name alone or with its namespace.
  private func closeNames(to text: String) -> [String] {
    // Longer than any name: nothing is near.
    guard text.utf8.count <= 320 else { return [] }
    let wanted = Array(text.lowercased().utf8)
    let reach = max(2, wanted.count / 4)
    let hasNamespace = text.contains("/")
    let near = services.compactMap { service -> (distance: Int, name: String)? in
      let name = Array((hasNamespace ? service.qualifiedName : service.name).lowercased().utf8)
      if wanted.count >= 3, name.contains(wanted) { return (abs(name.count - wanted.count), service.qualifiedName) }
      guard abs(name.count - wanted.count) <= reach else { return nil }
      let distance = Self.edits(wanted, name)
      return distance <= reach ? (distance, service.qualifiedName) : nil
    }
    return near.sorted { $0 < $1 }.prefix(3).map(\.name)
  }

  private static func list(_ names: [String], last: String = ", ") -> String {
    let shown = names.prefix(8).map(Figures.printable)
    guard names.count <= 8 else { return shown.joined(separator: ", ") + " and \(names.count - 8) more" }
    return shown.count < 2 ? shown.joined() : shown.dropLast().joined(separator: ", ") + last + (shown.last ?? "")
  }

  /// Insertions, deletions and replacements that make `b` of `a` (Levenshtein).
  private static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let replaced = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
