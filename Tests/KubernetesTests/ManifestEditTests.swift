import Foundation
import TestKit
import Testing

@testable import Kubernetes

/// What is kept from edit to edit must be what reading everything anew gives.
struct ManifestEditTests {
  /// One to three Services, of a few names so that some are defined twice; some with a field that nobody knows.
  private static func text(_ random: inout SeededRandom) -> String {
    (0..<Int.random(in: 1...3, using: &random)).map { _ in
      serviceText(
        "s\(Int.random(in: 1...8, using: &random))", port: Int.random(in: 1...9, using: &random),
        extra: Int.random(in: 0..<4, using: &random) == 0 ? "bogus: 1" : "")
    }.joined(separator: "\n---\n")
  }

  @Test func `after any edits the state is that of reading everything anew`() throws {
    let environment = ProcessInfo.processInfo.environment["ROADSTEAD_SEED"].flatMap { UInt64($0) }
    let seed = environment ?? UInt64.random(in: 0...UInt64.max)
    print("ROADSTEAD_SEED=\(seed)")
    var random = SeededRandom(seed: seed)
    let directory = try TemporaryDirectory()
    var loader = ManifestLoader(paths: [directory.path])
    _ = loader.reload()
    for step in 0..<300 {
      var changed: Set<String> = []
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        let name = "f\(Int.random(in: 1...5, using: &random)).yaml"
        changed.insert("\(directory.path)/\(name)")
        if Int.random(in: 0..<5, using: &random) == 0 {
          try? directory.remove(name)
        } else {
          try directory.write(name, Self.text(&random))
        }
      }
      let told = loader.refresh(changed)
      let now = loader.current()
      let anew = ManifestLoader.load([directory.path])
      try #require(now.problems == anew.problems, "step \(step)")
      try #require(now.files == anew.files, "step \(step)")
      try #require(now.store.services.mapValues(\.object) == anew.store.services.mapValues(\.object), "step \(step)")
      if let told { try #require(told.problems == anew.problems && told.files == anew.files, "step \(step)") }
    }
  }
}
