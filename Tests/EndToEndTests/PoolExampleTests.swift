import TestKit
import Testing

/// examples/pools: one file per topic, with a comment above each Service that says what it gets.
@Suite struct PoolExampleTests {
  static let directory = "\(RoadsteadBinary.checkout)/examples/pools"
  static let files = listDirectory(directory).filter { $0.hasSuffix(".yaml") }.sorted()

  @Test("each Service gets what the comment above it says", .timeLimit(.minutes(1)), arguments: files)
  func addresses(file: String) throws {
    let promised = try promises(file)
    #expect(!promised.isEmpty)
    for promise in promised {
      let result = try RoadsteadBinary.run(["explain", "-f", "\(Self.directory)/\(file)", promise.service])
      #expect(result.exit == .code(0), "\(result.transcript)")
      #expect(addresses(in: result.output) == promise.addresses, "\(promise.service): \(result.transcript)")
    }
  }

  @Test("check finds nothing but what the README says", .timeLimit(.minutes(1)), arguments: files)
  func check(file: String) throws {
    let result = try RoadsteadBinary.run(["check", "-f", "\(Self.directory)/\(file)"])
    let found = (result.output + result.error).filter { $0.contains(".yaml:") }
    let known = ["default/c-prefers-both goes without IPv6"]
    #expect(found.filter { line in !known.contains { line.hasSuffix($0) } } == [])
  }

  @Test("run.sh prints what the README shows", .timeLimit(.minutes(1)))
  func script() throws {
    let binary = try #require(RoadsteadBinary.path)
    let result = try run("\(Self.directory)/run.sh", [], environment: ["ROADSTEAD": binary], within: .seconds(50))
    #expect(result.exit == .code(0), "\(result.transcript)")
    let readme = try readFile("\(Self.directory)/README.md")
    #expect(readme.contains("```\n\(result.output.joined(separator: "\n"))\n```"), "\(result.transcript)")
    #expect(result.output.count { $0.hasPrefix("  ") } == (try Self.files.map { try promises($0).count }.reduce(0, +)))
  }

  private struct Promise {
    /// `NAMESPACE/NAME`.
    var service: String
    var addresses: [String]
  }

  /// The `# Gets ADDRESS and ADDRESS.` comments with the Services that follow them.
  private func promises(_ file: String) throws -> [Promise] {
    try readFile("\(Self.directory)/\(file)").split(separator: "---\n").compactMap { document in
      guard document.contains(/(?m)^kind: Service$/) else { return nil }
      let comment = try #require(document.firstMatch(of: /# Gets (.+)\.\n/), "\(file): a Service without a comment")
      let name = try #require(document.firstMatch(of: /\n  name: (\S+)/)).1
      let namespace = document.firstMatch(of: /\n  namespace: (\S+)/)?.1 ?? "default"
      return Promise(service: "\(namespace)/\(name)", addresses: comment.1.split(separator: " and ").map { String($0) })
    }
  }

  private func addresses(in explanation: [String]) -> [String] {
    explanation.compactMap { $0.firstMatch(of: /^  address  ([0-9a-f.:]+),/).map { String($0.1) } }
  }
}
