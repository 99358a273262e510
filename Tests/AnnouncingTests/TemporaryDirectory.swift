import Glibc

/// A directory that is gone, with what is in it, when the value ends. For tests.
final class TemporaryDirectory: Sendable {
  struct Failure: Error { let path: String }

  let path: String

  init() throws {
    var template = Array("/tmp/roadstead-test-XXXXXX".utf8CString)
    // The array outlives the call, which writes into it.
    guard unsafe template.withUnsafeMutableBufferPointer({ unsafe mkdtemp($0.baseAddress!) }) != nil else {
      throw Failure(path: "/tmp")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.removeAll(path) }

  var names: [String] { Self.names(path) }

  func read(_ name: String) throws -> [UInt8] { try Self.read("\(path)/\(name)") }

  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Failure(path: path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 else { throw Failure(path: path) }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
    }
  }

  /// Writes a file in place, as no store does.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    let descriptor = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw Failure(path: name) }
    defer { close(descriptor) }
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else { throw Failure(path: name) }
  }

  /// Removes a file, or a directory with what is in it.
  func remove(_ name: String) { Self.removeAll("\(path)/\(name)") }

  private static func names(_ path: String) -> [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      // The entry is valid until the next readdir, and the name ends with a zero.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private static func removeAll(_ path: String) {
    if unsafe unlink(path) == 0 { return }
    for name in names(path) { removeAll("\(path)/\(name)") }
    unsafe rmdir(path)
  }
}
