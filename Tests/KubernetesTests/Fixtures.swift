import Foundation
import Testing

@testable import Kubernetes

/// A directory of its own that goes with the test.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    path = "\(NSTemporaryDirectory())/roadstead-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
    return "\(path)/\(name)"
  }

  func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
  }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
  }

  /// rename(2): replaces what is there.
  func rename(_ from: String, _ to: String) {
    let result = unsafe Foundation.rename("\(path)/\(from)", "\(path)/\(to)")
    #expect(result == 0)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }
}

/// Reads one text as a file of this name would be.
func read(_ text: String, file: String = "web.yaml") throws -> ManifestContent {
  try ManifestContent(Array(text.utf8), file: file)
}

/// The problems of one text, as printed.
func problems(_ text: String, file: String = "web.yaml") -> [String] {
  do throws(SyntaxError) {
    return try ManifestContent(Array(text.utf8), file: file).problems.map(\.description)
  } catch {
    return [ManifestProblem(.error, file: file, line: error.line, message: error.message).description]
  }
}

/// A store of what one text contains, which must be without errors.
func store(_ text: String) throws -> ObjectStore {
  let content = try read(text)
  #expect(content.problems.filter { $0.severity == .error } == [])
  var store = ObjectStore()
  for entry in content.entries { store.insert(entry.object) }
  return store
}

func service(_ store: ObjectStore, _ name: String = "web") throws -> Service {
  try #require(store.services[NamespacedName(name: name)]?.object)
}

/// A manifest of a Service `name` on `port`.
func serviceText(_ name: String, port: Int = 80, extra: String = "") -> String {
  """
  apiVersion: v1
  kind: Service
  metadata:
    name: \(name)
  spec:
    type: LoadBalancer
    ports:
    - port: \(port)
    selector:
      app: \(name)
  \(extra)
  """
}
