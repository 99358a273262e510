/// What one file gave when it was last read, and what is kept of earlier readings.
///
/// The last good state is kept per object: an object with an error keeps its last good version while the file's other
/// objects follow the file. Only where the file as a whole cannot be read or parsed, all of its objects are kept.
struct LoadedFile: Sendable {
  /// nil where the file could not be opened.
  private(set) var signature: FileSystem.Signature?
  private(set) var state = ManifestFile.State.unreadable
  private(set) var entries: [ObjectReference: ManifestContent.Entry] = [:]
  private(set) var problems: [ManifestProblem] = []

  /// Takes in what the file says now, as far as it is good.
  mutating func update(path: String, limit: Int) {
    let bytes: [UInt8]
    do throws(FileSystem.ReadError) {
      (bytes, signature) = try FileSystem.read(path, limit: limit)
    } catch {
      signature = nil
      return fail(ManifestProblem(.error, file: path, message: error.message))
    }
    do throws(SyntaxError) {
      apply(try ManifestContent(bytes, file: path), path: path)
    } catch {
      fail(ManifestProblem(.error, file: path, line: error.line, message: error.message))
    }
  }

  /// Keeps what was read before, because the path that leads to the file is gone.
  mutating func keep() {
    state = .stale
    // So that it is read as soon as it is there again.
    signature = nil
    problems = []
  }

  private mutating func fail(_ problem: ManifestProblem) {
    var problem = problem
    state = state == .unreadable ? .unreadable : .stale
    problem.message += Self.kept(entries.count)
    problems = [problem]
  }

  /// The end of a message that says what is kept of `count` objects.
  static func kept(_ count: Int) -> String {
    count == 0 ? "" : "; the last good state of its \(count) object\(count == 1 ? "" : "s") is kept"
  }

  private mutating func apply(_ content: ManifestContent, path: String) {
    problems = content.problems
    var new: [ObjectReference: ManifestContent.Entry] = [:]
    new.reserveCapacity(content.entries.count)
    for entry in content.entries {
      let reference = entry.object.reference
      if let first = new[reference] {
        problems.append(
          Self.duplicate(reference, file: path, line: entry.line, first: ObjectSource(file: path, line: first.line)))
      } else {
        new[reference] = entry
      }
    }
    state = content.invalid.isEmpty ? .good : .partlyStale
    for reference in content.invalid where new[reference] == nil {
      guard let old = entries[reference] else { continue }
      new[reference] = old
      problems.append(
        ManifestProblem(
          .notice, file: path, line: old.line, kind: reference.kind.rawValue, namespace: reference.name.namespace,
          name: reference.name.name, message: "its last good version is kept"))
    }
    entries = new
  }

  /// The problem of an object that another place has defined already.
  static func duplicate(_ reference: ObjectReference, file: String, line: Int, first: ObjectSource) -> ManifestProblem {
    ManifestProblem(
      .error, file: file, line: line, kind: reference.kind.rawValue, namespace: reference.name.namespace,
      name: reference.name.name, message: "is defined at \(first) already, and that one is used")
  }
}
