/// What the API server has said of all kinds, and what has changed since it was last taken. Pure.
///
/// Nothing is kept of how it came to be: however much happens between two snapshots, the second holds only the last.
struct ClusterState: Sendable {
  let kinds: Set<ObjectKind>
  private(set) var store = ObjectStore()
  /// Kinds that were listed once, or that the cluster does without.
  private(set) var listed: Set<ObjectKind> = []
  /// Whether there is anything that the last ``take(connection:)`` did not tell.
  private(set) var hasNews = false

  private var problems: [ObjectReference: [ManifestProblem]] = [:]
  private var notes: [ObjectKind: String] = [:]
  private var changes: Set<ObjectReference> = []
  private var affected: Set<NamespacedName> = []
  // What the list that is under way has named so far.
  private var named: [ObjectKind: Set<NamespacedName>] = [:]

  init(kinds: Set<ObjectKind>) { self.kinds = kinds }

  var isSynced: Bool { listed.isSuperset(of: kinds) }

  /// A list begins, and forgets of one that was cut short.
  mutating func beginList(_ kind: ObjectKind) { named[kind] = [] }

  mutating func take(_ page: ObjectPage, of kind: ObjectKind) {
    for object in page.objects {
      named[kind, default: []].insert(object.reference.name)
      put(object)
    }
  }

  /// A list is whole: what it does not name is gone.
  mutating func endList(_ kind: ObjectKind) {
    let present = named.removeValue(forKey: kind) ?? []
    for name in store.names(of: kind) where !present.contains(name) { remove(ObjectReference(kind, name)) }
    for reference in problems.keys where reference.kind == kind && !present.contains(reference.name) {
      setProblems([], of: reference)
    }
    setListed(kind)
  }

  mutating func take(_ event: WatchEvent) {
    switch event {
    case .put(let object, _): put(object)
    case .removed(let reference, _):
      remove(reference)
      setProblems([], of: reference)
    case .bookmark: break
    }
  }

  /// The kind counts as listed although it was not: the cluster does without it.
  mutating func setListed(_ kind: ObjectKind) {
    if listed.insert(kind).inserted { hasNews = true }
  }

  /// What is missing to be complete, of one kind; nil: nothing.
  mutating func setNote(_ note: String?, of kind: ObjectKind) {
    guard notes[kind] != note else { return }
    notes[kind] = note
    hasNews = true
  }

  func hasObjects(of kind: ObjectKind) -> Bool { !store.names(of: kind).isEmpty }

  /// All of it, and forgets the changes; those before every kind was listed are kept for the first snapshot after, so
  /// that whoever passes over what is not whole misses nothing.
  mutating func take(connection: ClusterSnapshot.Connection) -> ClusterSnapshot {
    defer {
      hasNews = false
      if isSynced {
        changes = []
        affected = []
      }
    }
    return ClusterSnapshot(
      store: store, problems: problems.sorted { $0.key < $1.key }.flatMap(\.value), isSynced: isSynced,
      connection: connection, changes: isSynced ? changes : [], affectedServices: isSynced ? affected : [],
      notes: notes.sorted { $0.key < $1.key }.map(\.value))
  }

  private mutating func put(_ received: ReceivedObject) {
    let reference = received.reference
    let old = store.object(reference)
    guard let new = received.object else {
      var problems = received.problems
      if old != nil {
        problems.append(
          ManifestProblem(
            .notice, file: "", kind: reference.kind.rawValue, namespace: reference.name.namespace,
            name: reference.name.name, message: "its last good version is kept"))
      }
      return setProblems(problems, of: reference)
    }
    setProblems(received.problems, of: reference)
    if old == new { return }
    let services = store.insert(new)
    // A Node tells every few minutes that it lives. What is read of it is the same, and nobody need look at it.
    if let old, old.isSame(as: new) { return }
    affected.formUnion(services)
    changes.insert(reference)
    hasNews = true
  }

  private mutating func remove(_ reference: ObjectReference) {
    guard store.object(reference) != nil else { return }
    affected.formUnion(store.remove(reference))
    changes.insert(reference)
    hasNews = true
  }

  private mutating func setProblems(_ new: [ManifestProblem], of reference: ObjectReference) {
    guard problems[reference] ?? [] != new else { return }
    problems[reference] = new.isEmpty ? nil : new
    hasNews = true
  }
}
