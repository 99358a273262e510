import TestKit
import Testing

/// Every directory of examples/ runs as its README says.
@Suite struct ExampleTests {
  /// The directories that have a test: below, in ``PoolExampleTests``; in Tests/lab node-ports' run.sh and in-cluster's
  /// manifests.
  static let tested: Set<String> = ["announce", "in-cluster", "node-ports", "pools", "quickstart", "sidecar"]

  @Test("each example has a README, a run.sh and a test")
  func complete() throws {
    let examples = "\(RoadsteadBinary.checkout)/examples"
    #expect(Set(listDirectory(examples)) == Self.tested)
    for name in listDirectory(examples) {
      #expect(Set(listDirectory("\(examples)/\(name)")).isSuperset(of: ["README.md", "run.sh"]), "\(name)")
    }
  }

  @Test("examples/quickstart gives each labelled pod 10 of 30 requests and of 30 datagrams", .timeLimit(.minutes(2)))
  func quickstart() throws {
    let result = try script("quickstart")
    #expect(result.exit == .code(0), "\(result.transcript)")
    let counts = result.output.filter { $0.hasPrefix("  ") && $0.contains("pod-") }
    let each = ["  10 pod-1", "  10 pod-2", "  10 pod-3"]
    #expect(counts == each + each, "\(result.transcript)")
  }

  @Test("examples/sidecar sends a quarter to one backend and the rest to the other", .timeLimit(.minutes(2)))
  func sidecar() throws {
    let result = try script("sidecar")
    #expect(result.exit == .code(0), "\(result.transcript)")
    let counts = result.output.filter { $0.hasPrefix("  ") && $0.contains("app-") }
    #expect(counts == ["  10 app-1", "  30 app-2"], "\(result.transcript)")
  }

  @Test("examples/announce says where each address would be announced, and why not", .timeLimit(.minutes(1)))
  func announce() throws {
    let result = try script("announce")
    #expect(result.exit == .code(0), "\(result.transcript)")
    let readme = try readFile("\(RoadsteadBinary.checkout)/examples/announce/README.md")
    #expect(result.output.count == 12)
    #expect(readme.contains(result.output.joined(separator: "\n")), "\(result.transcript)")
    let directory = "\(RoadsteadBinary.checkout)/examples/announce"
    let check = try RoadsteadBinary.run(["check", "-f", directory, "--node-name", "node-1"])
    #expect(
      check.output == [
        "\(directory)/announce.yaml:23: IPAddressPool/metallb-system/spare: warning: no L2Advertisement selects it, so "
          + "Service default/test would not be announced",
        "5 Services, 3 pools, 2 L2Advertisements in 2 files: valid, 1 warning",
      ], "\(check.transcript)")
    for (mode, words) in [("layer2", "layer2 on the interfaces that fit"), ("none", "nobody (--announce none)")] {
      let result = try RoadsteadBinary.run(["explain", "-f", directory, "--announce", mode, "test"])
      #expect(result.output.contains { $0.hasSuffix("would be announced by \(words)") }, "\(result.transcript)")
    }
  }

  @Test("examples/in-cluster: what needs no cluster prints what the README shows", .timeLimit(.minutes(2)))
  func inCluster() throws {
    let result = try script("in-cluster")
    #expect(result.exit == .code(0), "\(result.transcript)")
    let readme = try readFile("\(RoadsteadBinary.checkout)/examples/in-cluster/README.md")
    #expect(result.output.count == 5)
    #expect(readme.contains("$ ./run.sh\n\(result.output.joined(separator: "\n"))\n```"), "\(result.transcript)")
  }

  @Test("examples/node-ports is valid and leads to the four nodes", .timeLimit(.minutes(1)))
  func nodePorts() throws {
    let manifests = "\(RoadsteadBinary.checkout)/examples/node-ports"
    let check = try RoadsteadBinary.run(["check", "-f", manifests, "--target", "node-port"])
    #expect(check.exit == .code(0), "\(check.transcript)")
    for (service, address, port) in [("web", "10.101.0.50", 31231), ("was", "10.101.0.51", 31111)] {
      let result = try RoadsteadBinary.run(["explain", "-f", manifests, "--target", "node-port", service])
      #expect(result.transcript.contains("address  \(address),"), "\(result.transcript)")
      for node in 10...13 {
        #expect(result.transcript.contains("192.168.118.\(node):\(port)"), "\(result.transcript)")
      }
    }
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
