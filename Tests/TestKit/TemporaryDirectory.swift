import Glibc

/// A directory for one test, removed with the last reference. Files in it are written and read as text.
public final class TemporaryDirectory: Sendable {
  public let path: String

  public init() throws {
    var template = Array("\(environment("TMPDIR") ?? "/tmp")/roadstead-test-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      // mkdtemp replaces the Xs in place and returns the same, null-terminated buffer.
      guard let base = buffer.baseAddress, let path = unsafe mkdtemp(base) else { return String?.none }
      return unsafe String(cString: path)
    }
    guard let made else { throw TestFailure("no temporary directory: \(errorText())") }
    path = made
    unsafe chmod(path, 0o755)
  }

  deinit { removeTree(path) }

  /// The path of `name` in the directory.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Makes a directory inside and returns its path.
  @discardableResult public func makeDirectory(_ name: String) throws -> String {
    guard unsafe mkdir(file(name), 0o755) == 0 else { throw TestFailure("mkdir \(name): \(errorText())") }
    return file(name)
  }

  /// Writes a file in place, as an editor that truncates does, and returns its path.
  @discardableResult public func write(_ name: String, _ text: String) throws -> String {
    try writeFile(file(name), text)
    return file(name)
  }

  /// Writes a file beside and renames it over `name`, as careful editors do, and returns its path.
  @discardableResult public func replace(_ name: String, _ text: String) throws -> String {
    let draft = "\(path)/.\(name).draft"
    try writeFile(draft, text)
    guard unsafe rename(draft, file(name)) == 0 else { throw TestFailure("rename \(name): \(errorText())") }
    return file(name)
  }

  public func remove(_ name: String) throws {
    guard unsafe unlink(file(name)) == 0 else { throw TestFailure("unlink \(name): \(errorText())") }
  }

  /// The names of all files directly in it.
  public var names: [String] { listDirectory(path) }
}

/// The whole of a text file; throws when it cannot be read.
public func readFile(_ path: String) throws -> String {
  guard let file = unsafe fopen(path, "r") else { throw TestFailure("\(path): \(errorText())") }
  defer { unsafe fclose(file) }
  var bytes: [UInt8] = []
  while true {
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
      count = unsafe fread(buffer.baseAddress, 1, buffer.count, file)
    }
    if chunk.isEmpty { return String(decoding: bytes, as: UTF8.self) }
    bytes += chunk
  }
}

func writeFile(_ path: String, _ text: String) throws {
  guard let file = unsafe fopen(path, "w") else { throw TestFailure("\(path): \(errorText())") }
  let bytes = Array(text.utf8)
  let written = unsafe fwrite(bytes, 1, bytes.count, file)
  guard unsafe fclose(file) == 0, written == bytes.count else { throw TestFailure("\(path): \(errorText())") }
}

/// The names in a directory, sorted, without `.` and `..`; empty when it cannot be read.
public func listDirectory(_ path: String) -> [String] {
  guard let directory = unsafe opendir(path) else { return [] }
  defer { unsafe closedir(directory) }
  var names: [String] = []
  while let entry = unsafe readdir(directory) {
    // The entry is valid until the next readdir; d_name is null-terminated.
    let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { buffer in
      unsafe String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}

private func removeTree(_ path: String) {
  for name in listDirectory(path) {
    let child = "\(path)/\(name)"
    // A directory refuses unlink with EISDIR; a link to one is unlinked, never followed.
    if unsafe unlink(child) != 0 { removeTree(child) }
  }
  unsafe rmdir(path)
}
