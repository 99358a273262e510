import TestKit
import Testing

/// Every directory of examples/ runs as its README says.
@Suite struct ExampleTests {
  /// The directories that have a test below.
  static let tested: Set<String> = ["quickstart", "sidecar"]

  @Test("each example has a README, a run.sh and a test")
  func complete() throws {
    let examples = "\(RoadsteadBinary.checkout)/examples"
    #expect(Set(listDirectory(examples)) == Self.tested)
    for name in listDirectory(examples) {
      #expect(Set(listDirectory("\(examples)/\(name)")).isSuperset(of: ["README.md", "run.sh"]), "\(name)")
    }
  }

  @Test("examples/quickstart gives each labelled pod 10 of 30 requests", .timeLimit(.minutes(2)))
  func quickstart() throws {
    let result = try script("quickstart")
    #expect(result.exit == .code(0), "\(result.transcript)")
    let counts = result.output.filter { $0.hasPrefix("  ") && $0.contains("pod-") }
    #expect(counts == ["  10 pod-1", "  10 pod-2", "  10 pod-3"], "\(result.transcript)")
  }

  @Test("examples/sidecar sends a quarter to one backend and the rest to the other", .timeLimit(.minutes(2)))
  func sidecar() throws {
    let result = try script("sidecar")
    #expect(result.exit == .code(0), "\(result.transcript)")
    let counts = result.output.filter { $0.hasPrefix("  ") && $0.contains("app-") }
    #expect(counts == ["  10 app-1", "  30 app-2"], "\(result.transcript)")
  }

  private func script(_ name: String) throws -> Finished {
    let binary = try #require(RoadsteadBinary.path)
    return try FixedAddresses.exclusively {
      try run(
        "\(RoadsteadBinary.checkout)/examples/\(name)/run.sh", [], environment: ["ROADSTEAD": binary],
        within: .seconds(60))
    }
  }
}
