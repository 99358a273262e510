import EventLoop

/// Reads a set of files and directories into an ``ObjectStore``, and parts of it again when they have changed.
///
/// A value without a loop or a thread: `check` and `explain` load once, a ``ManifestWatcher`` refreshes. Where an
/// object is defined twice, the first definition in the order of the files is used, and the other one reported.
///
/// A file that goes from a directory takes its objects with it. A `-f` path that is itself gone is an error, and what
/// was read from it is kept: an unmounted directory must not end every service.
public struct ManifestLoader: Sendable {
  /// The largest file that is read, in bytes: 64 MiB.
  public static let maximalFileSize = 64 << 20

  /// The `-f` paths, as given.
  public let paths: [String]

  private var files: [String: LoadedFile] = [:]
  // All files in order of reading, and each one's place in it.
  private var order: [String] = []
  private var ranks: [String: Int] = [:]
  // Which files define an object, where more than one does.
  private var claims: [ObjectReference: [String]] = [:]
  private var pathProblems: [ManifestProblem] = []
  // What is wrong and what was read, of all files: kept, since most edits change neither, and there may be many files.
  private var problems: [ManifestProblem] = []
  private var areProblemsStale = true
  private var states: [ManifestFile] = []
  private var areStatesStale = true
  // Files below a path that is gone: their last state is kept.
  private var unreachable: Set<String> = []
  /// Whether the last ``rescan(sparing:)`` left files for later that may not be written whole yet.
  public private(set) var hasSpared = false
  private var store = ObjectStore()
  private var changes: Set<ObjectReference> = []
  private var moved: Set<ObjectReference> = []
  private var affected: Set<NamespacedName> = []

  /// Reads nothing yet.
  public init(paths: [String]) {
    var seen: Set<String> = []
    self.paths = paths.map(Self.withoutTrailingSlash).filter { seen.insert($0).inserted }
  }

  private static func withoutTrailingSlash(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    return String(path)
  }

  /// Loads `paths` once: for `check` and `explain`.
  public static func load(_ paths: [String]) -> ManifestSnapshot {
    var loader = ManifestLoader(paths: paths)
    return loader.reload()
  }

  /// Reads everything, whether it has changed or not.
  public mutating func reload() -> ManifestSnapshot {
    list()
    for path in order { read(path) }
    return snapshot()
  }

  /// Looks for files that came, went or were replaced, and reads those.
  ///
  /// A file that was only written to is left to ``refresh(_:)``, which knows when its writer has closed it.
  ///
  /// - Parameter youngest: files written less than this many seconds ago are left for later: see ``hasSpared``.
  /// - Returns: nil when nothing that matters has changed.
  public mutating func rescan(sparing youngest: Double = 0) -> ManifestSnapshot? {
    let before = problems
    let listing = order
    list()
    hasSpared = false
    for path in order {
      let status = try? FileSystem.status(path)
      if let status, let known = files[path]?.signature, known.isSameFile(as: FileSystem.Signature(status)) { continue }
      if let status, FileSystem.age(status) < youngest {
        hasSpared = true
      } else {
        read(path)
      }
    }
    updateProblems()
    return changes.isEmpty && listing == order && before == problems ? nil : snapshot()
  }

  /// Reads these files again, and no other.
  ///
  /// - Parameter changed: paths as ``ManifestSnapshot/files`` has them, or of files that are new in a directory.
  /// - Returns: nil when nothing that matters has changed.
  public mutating func refresh(_ changed: Set<String>) -> ManifestSnapshot? {
    let before = problems
    let listing = order
    // A file that came or went changes the order of the others.
    if changed.contains(where: { hasRead($0) != FileSystem.exists($0) }) { list() }
    let listed = changed.compactMap { path in ranks[path].map { (rank: $0, path: path) } }
    for (_, path) in listed.sorted(by: { $0.rank < $1.rank }) { read(path) }
    updateProblems()
    return changes.isEmpty && listing == order && before == problems ? nil : snapshot()
  }

  private func hasRead(_ path: String) -> Bool { files[path] != nil && !unreachable.contains(path) }

  /// All that is known, with no changes; reads nothing.
  public mutating func current() -> ManifestSnapshot { snapshot() }

  /// The files there were at the last listing, in order.
  public var listedFiles: [String] { order }

  /// Whether a name in a directory is a manifest's: *.yaml, *.yml, *.json, not hidden.
  public static func isManifestName(_ name: some StringProtocol) -> Bool {
    !name.hasPrefix(".") && (name.hasSuffix(".yaml") || name.hasSuffix(".yml") || name.hasSuffix(".json"))
  }

  // MARK: Listing

  // Finds the files; drops what is gone.
  private mutating func list() {
    pathProblems = []
    unreachable = []
    var found: [String] = []
    var seen: Set<String> = []
    for path in paths {
      do throws(Errno) {
        let files = try Self.files(at: path)
        if files.isEmpty {
          pathProblems.append(
            ManifestProblem(.warning, file: path, message: "no *.yaml, *.yml or *.json file is in this directory"))
        }
        for file in files where seen.insert(file).inserted { found.append(file) }
      } catch {
        let kept = order.filter { ($0 == path || $0.hasPrefix("\(path)/")) && seen.insert($0).inserted }
        let objects = kept.reduce(0) { $0 + (files[$1]?.entries.count ?? 0) }
        found += kept
        unreachable.formUnion(kept)
        pathProblems.append(
          ManifestProblem(.error, file: path, message: "cannot be read: \(error)\(LoadedFile.kept(objects))"))
      }
    }
    for gone in order where !seen.contains(gone) { forget(gone) }
    for file in unreachable { files[file]?.keep() }
    order = found
    ranks = Dictionary(uniqueKeysWithValues: found.enumerated().map { ($1, $0) })
    areProblemsStale = true
    areStatesStale = true
    // The first definition is used, so a new order may change which one that is.
    for reference in claims.keys { settle(reference) }
  }

  // The manifests of a directory, by name; or the file itself.
  private static func files(at path: String) throws(Errno) -> [String] {
    guard FileSystem.isDirectory(try FileSystem.status(path)) else { return [path] }
    let names = try FileSystem.names(in: path).filter { isManifestName($0) }.sorted()
    // A directory may be called x.yaml; it is not looked into.
    return names.map { path == "/" ? "/\($0)" : "\(path)/\($0)" }.filter { !FileSystem.isDirectory($0) }
  }

  private mutating func forget(_ path: String) {
    guard let file = files.removeValue(forKey: path) else { return }
    for reference in file.entries.keys { release(reference, path) }
  }

  // MARK: Reading

  private mutating func read(_ path: String) {
    guard !unreachable.contains(path) else { return }
    // Moved out while it changes: a copy kept here would be a copy made.
    let isKnown = files[path] != nil
    var file = files.removeValue(forKey: path) ?? LoadedFile()
    let (old, oldProblems, oldState) = (file.entries, file.problems, file.state)
    file.update(path: path, limit: Self.maximalFileSize)
    let new = file.entries
    files[path] = file
    if file.problems != oldProblems { areProblemsStale = true }
    if !isKnown || file.state != oldState || new.count != old.count { areStatesStale = true }
    for reference in old.keys where new[reference] == nil { release(reference, path) }
    for (reference, entry) in new {
      if let before = old[reference] {
        if before.object != entry.object || before.line != entry.line { settle(reference) }
      } else {
        claim(reference, path)
      }
    }
  }

  private mutating func claim(_ reference: ObjectReference, _ path: String) {
    if claims[reference] != nil {
      claims[reference]?.append(path)
    } else if let holder = store.source(reference)?.file {
      claims[reference] = [holder, path]
    } else if let object = files[path]?.entries[reference] {
      return put(object, path)
    }
    settle(reference)
  }

  private mutating func release(_ reference: ObjectReference, _ path: String) {
    if var claimants = claims[reference] {
      claimants.removeAll { $0 == path }
      claims[reference] = claimants
      settle(reference)
      if claimants.count < 2 { claims[reference] = nil }
    } else {
      affected.formUnion(store.remove(reference))
      changes.insert(reference)
    }
  }

  // Puts the first file's definition of an object in the store.
  private mutating func settle(_ reference: ObjectReference) {
    let holder = claims[reference]?.min { ranks[$0] ?? .max < ranks[$1] ?? .max } ?? store.source(reference)?.file
    guard let holder, let entry = files[holder]?.entries[reference] else { return }
    put(entry, holder)
  }

  private mutating func put(_ entry: ManifestContent.Entry, _ path: String) {
    let reference = entry.object.reference
    let isSame = store.object(reference) == entry.object
    let source = ObjectSource(file: path, line: entry.line)
    if isSame, store.source(reference) == source { return }
    let services = store.insert(entry.object, source: source)
    // An object that only moved within its file, or to another, is still what it was.
    if isSame {
      moved.insert(reference)
      return
    }
    affected.formUnion(services)
    changes.insert(reference)
  }

  // MARK: Results

  // What is defined twice may be told of otherwise by any change of one of its files, and is rare.
  private mutating func updateProblems() {
    guard areProblemsStale || !claims.isEmpty else { return }
    areProblemsStale = !claims.isEmpty
    var duplicates: [String: [ManifestProblem]] = [:]
    for (reference, claimants) in claims {
      guard let used = store.source(reference) else { continue }
      for path in claimants where path != used.file {
        guard let line = files[path]?.entries[reference]?.line else { continue }
        duplicates[path, default: []].append(LoadedFile.duplicate(reference, file: path, line: line, first: used))
      }
    }
    problems =
      pathProblems
      + order.flatMap { path in
        let all = (files[path]?.problems ?? []) + (duplicates[path] ?? [])
        return all.sorted { ($0.line ?? 0, $0.description) < ($1.line ?? 0, $1.description) }
      }
  }

  private mutating func updateStates() {
    guard areStatesStale else { return }
    areStatesStale = false
    states = order.compactMap { path in
      files[path].map { ManifestFile(path: path, state: $0.state, objectCount: $0.entries.count) }
    }
  }

  private mutating func snapshot() -> ManifestSnapshot {
    updateProblems()
    updateStates()
    let snapshot = ManifestSnapshot(
      store: store, problems: problems, files: states, changes: changes, moved: moved, affectedServices: affected)
    changes = []
    moved = []
    affected = []
    return snapshot
  }
}
