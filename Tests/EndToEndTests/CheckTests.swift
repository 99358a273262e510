import TestKit
import Testing

/// `roadstead check`: every problem on one line, `FILE:LINE: KIND/NAME: FIELD: what is wrong`.
@Suite struct CheckTests {
  /// A manifest with one mistake: the line that is replaced, what stands there instead, and what the report must name.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let what: String
    let good: String
    let bad: String
    let object: String
    let field: String

    var testDescription: String { what }
  }

  static let mistakes = [
    Mistake(
      what: "a port out of range", good: "    port: 8080", bad: "    port: 65536", object: "Service/hostname-svc-lb",
      field: "spec.ports[0].port"),
    Mistake(
      what: "a port that is a word", good: "    port: 8080", bad: "    port: eighty", object: "Service/hostname-svc-lb",
      field: "spec.ports[0].port"),
    Mistake(
      what: "a target port out of range", good: "    targetPort: 18080", bad: "    targetPort: 0",
      object: "Service/hostname-svc-lb", field: "spec.ports[0].targetPort"),
    Mistake(
      what: "ports that are no list", good: "  ports:", bad: "  ports: 8080\n  other:",
      object: "Service/hostname-svc-lb",
      field: "spec.ports"),
    Mistake(
      what: "a reversed range", good: "  - 10.101.0.50-10.101.0.60", bad: "  - 10.101.0.60-10.101.0.50",
      object: "IPAddressPool/lab", field: "spec.addresses[0]"),
    Mistake(
      what: "a range that is none", good: "  - 10.101.0.50-10.101.0.60", bad: "  - ten to twenty",
      object: "IPAddressPool/lab", field: "spec.addresses[0]"),
    Mistake(
      what: "a pod address that is none", good: "  podIP: 10.1.1.1", bad: "  podIP: 10.1.1.256", object: "Pod/pod-1",
      field: "status.podIP"),
  ]

  @Test(
    "a mistake is reported with file, line, object and field, and the exit code is 1", .timeLimit(.minutes(1)),
    arguments: mistakes)
  func reports(mistake: Mistake) throws {
    let directory = try TemporaryDirectory()
    let lines = Self.manifest.split(separator: "\n", omittingEmptySubsequences: false)
    let index = try #require(lines.firstIndex { $0 == mistake.good })
    let file = try directory.write(
      "all.yaml", Self.manifest.replacing(mistake.good + "\n", with: mistake.bad + "\n", maxReplacements: 1))
    let result = try RoadsteadBinary.run(["check", "-f", file])
    #expect(result.exit == .code(1))
    let prefix = "\(file):\(index + 1): \(mistake.object): \(mistake.field): "
    #expect(
      (result.output + result.error).contains { $0.hasPrefix(prefix) && $0.count > prefix.count },
      "\(result.transcript)")
  }

  @Test("every mistake of a file is reported, not only the first", .timeLimit(.minutes(1)))
  func reportsAll() throws {
    let directory = try TemporaryDirectory()
    let text = Self.manifest.replacing("    port: 8080", with: "    port: 0")
      .replacing("10.101.0.50-10.101.0.60", with: "10.101.0.60-10.101.0.50")
    let file = try directory.write("all.yaml", text)
    let result = try RoadsteadBinary.run(["check", "-f", file])
    #expect(result.exit == .code(1))
    for object in ["Service/hostname-svc-lb: spec.ports[0].port", "IPAddressPool/lab: spec.addresses[0]"] {
      #expect(result.transcript.contains(object), "\(result.transcript)")
    }
  }

  @Test("a valid file gives exit code 0, a JSON one too", .timeLimit(.minutes(1)))
  func valid() throws {
    let directory = try TemporaryDirectory()
    try directory.write("all.yaml", Self.manifest)
    try directory.write(
      "more.json",
      #"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}]}"#)
    let result = try RoadsteadBinary.run(["check", "-f", directory.path])
    #expect(result.exit == .code(0), "\(result.transcript)")
    #expect(
      result.output == [
        "notice: nothing is announced on layer 2: there is no L2Advertisement",
        "1 Service, 1 pool, 0 L2Advertisements in 2 files: valid",
      ], "\(result.transcript)")
  }

  @Test("an unknown field is a warning and an unknown kind is named, neither an error", .timeLimit(.minutes(1)))
  func warnings() throws {
    let directory = try TemporaryDirectory()
    let text = Self.manifest.replacing("  type: LoadBalancer", with: "  type: LoadBalancer\n  colour: blue")
    let file = try directory.write("all.yaml", text + "---\nkind: Teapot\napiVersion: v1\nmetadata:\n  name: t\n")
    let result = try RoadsteadBinary.run(["check", "-f", file])
    #expect(result.exit == .code(0), "\(result.transcript)")
    #expect(result.transcript.contains("colour") && result.transcript.contains("Teapot"), "\(result.transcript)")
  }

  @Test("an L2Advertisement that selects nothing is a warning with its line", .timeLimit(.minutes(1)))
  func advertisement() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      "all.yaml",
      Self.manifest + """
        ---
        apiVersion: metallb.io/v1beta1
        kind: L2Advertisement
        metadata: {name: lab}
        spec: {ipAddressPools: [lib]}

        """)
    let result = try RoadsteadBinary.run(["check", "-f", file])
    #expect(result.exit == .code(0), "\(result.transcript)")
    let line = Self.manifest.split(separator: "\n", omittingEmptySubsequences: false).count + 1
    #expect(
      result.output == [
        "\(file):14: IPAddressPool/lab: warning: no L2Advertisement selects it, so Service default/hostname-svc-lb would "
          + "not be announced",
        "\(file):\(line): L2Advertisement/lab: spec.ipAddressPools: warning: there is no IPAddressPool 'lib'",
        "1 Service, 1 pool, 1 L2Advertisement in 1 file: valid, 2 warnings",
      ], "\(result.transcript)")
  }

  @Test("YAML that does not parse is reported with file and line", .timeLimit(.minutes(1)))
  func unparsable() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("broken.yaml", "apiVersion: v1\nkind: Service\nspec: [unclosed\n")
    let result = try RoadsteadBinary.run(["check", "-f", file])
    #expect(result.exit == .code(1))
    let lines = (result.output + result.error).filter { $0.hasPrefix("\(file):") }
    #expect(lines.count == 1, "\(result.transcript)")
    let number = lines.first?.dropFirst(file.count + 1).prefix { $0.isNumber }
    #expect(number.flatMap { Int($0) } != nil, "\(result.transcript)")
  }

  @Test("a missing file is one line that names it", .timeLimit(.minutes(1)))
  func missing() throws {
    let result = try RoadsteadBinary.run(["check", "-f", "/nonexistent/service.yaml"])
    #expect(result.exit == .code(1))
    #expect(
      (result.output + result.error).count { $0.contains("/nonexistent/service.yaml") } == 1, "\(result.transcript)")
  }

  static let manifest = """
    apiVersion: v1
    kind: Service
    metadata:
      name: hostname-svc-lb
    spec:
      type: LoadBalancer
      ports:
      - name: webserver
        port: 8080
        targetPort: 18080
      selector:
        app: webserver
    ---
    apiVersion: metallb.io/v1beta1
    kind: IPAddressPool
    metadata:
      name: lab
    spec:
      addresses:
      - 10.101.0.50-10.101.0.60
    ---
    apiVersion: v1
    kind: Pod
    metadata:
      name: pod-1
      labels:
        app: webserver
    status:
      phase: Running
      podIP: 10.1.1.1
      conditions:
      - type: Ready
        status: "True"

    """
}
