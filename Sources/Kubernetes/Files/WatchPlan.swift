/// Which directories to watch for a set of manifests, and what an event in them means.
struct WatchPlan {
  /// What an event means.
  enum Meaning: Equatable {
    case nothing
    /// These files are to be read again.
    case files(Set<String>)
    /// Paths may lead elsewhere now: everything is to be looked at.
    case elsewhere
  }

  /// Directories by their real paths, and what to watch in each.
  private(set) var directories: [String: Inotify.Kind] = [:]
  // Real directory → the `-f` directories that lead to it.
  private var listed: [String: Set<String>] = [:]
  // Names that lie on the way to somewhere.
  private var way: Set<PathTrail.Step> = []
  // Where files end → the files, as they are listed.
  private var ends: [PathTrail.Step: Set<String>] = [:]

  /// For the `-f` paths alone; see ``add(files:)``.
  init(paths: [String]) {
    for path in paths {
      let trail = PathTrail(following: path)
      if let end = trail.end, FileSystem.isDirectory(end) {
        way.formUnion(trail.steps)
        listed[end, default: []].insert(path)
        directories[end, default: []].formUnion(.contents)
      } else {
        add(file: path, trail)
      }
      watch(trail)
    }
  }

  /// Follows the links among the files of directories.
  ///
  /// - Returns: whether there are directories to watch that were not before.
  mutating func add(files: [String]) -> Bool {
    let before = directories.count
    for file in files {
      guard case .link = FileSystem.look(file) else { continue }
      let trail = PathTrail(following: file)
      add(file: file, trail)
      watch(trail)
    }
    return directories.count > before
  }

  private mutating func add(file: String, _ trail: PathTrail) {
    guard trail.reachesLastName, let last = trail.steps.last else {
      // A directory on the way is missing.
      return way.formUnion(trail.steps)
    }
    way.formUnion(trail.steps.dropLast())
    ends[last, default: []].insert(file)
    directories[last.directory, default: []].formUnion(.contents)
  }

  // Directories that are not there, or not allowed to be watched, are left out by the watcher.
  private mutating func watch(_ trail: PathTrail) {
    for step in trail.steps { directories[step.directory, default: []].formUnion(.way) }
  }

  /// What it means that something happened to `name` in `directory`.
  func meaning(of kind: Inotify.Kind, _ name: String, in directory: String) -> Meaning {
    if !kind.isDisjoint(with: [.deletedSelf, .movedSelf, .ended]) { return .elsewhere }
    let step = PathTrail.Step(directory: directory, name: name)
    if way.contains(step) { return kind == .closedAfterWrite ? .nothing : .elsewhere }
    var files = ends[step] ?? []
    // A directory where a file was, or where nothing was.
    if kind.contains(.directory) { return files.isEmpty ? .nothing : .elsewhere }
    if ManifestLoader.isManifestName(name) {
      for path in listed[directory] ?? [] { files.insert(path == "/" ? "/\(name)" : "\(path)/\(name)") }
    }
    guard !files.isEmpty else { return .nothing }
    let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    // A link may lead to directories that are not watched yet.
    if case .link = FileSystem.look(path) { return .elsewhere }
    // Its writer still has it open; IN_CLOSE_WRITE follows. A hard link is whole at once.
    if kind.contains(.created), (try? FileSystem.status(path).st_nlink) ?? 1 < 2 { return .nothing }
    return .files(files)
  }
}
