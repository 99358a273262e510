import Foundation
import TestKit
import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(10))) struct ManifestFuzzTests {
  private static func environment(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
  }

  /// Words that mean something to one of the parsers.
  private static let tokens = [
    "{", "}", "[", "]", ":", ": ", ",", "- ", "\n", "\n---\n", "...\n", "\"", "'", "*a", "&a ", "<<: ", "? ", "| ",
    "> ", "\t", "#",
    "!!int ", "!!binary ", "!x ", "%YAML 1.1\n", "null", "~", "yes", "0", "-1", "99999999999999999999", "1e999", ".nan",
    "\u{0}", "\u{FEFF}",
    "\r\n", "\\u", "\\ud800", "\u{1F600}", "é", "kind: Service\n", "kind: List\nitems:\n", "spec:\n", "ports:\n",
    "metadata: ", "name: x\n",
    "apiVersion: v1\n", "10.0.0.1", "10.0.0.5-10.0.0.1", "fd00::/129", "1h", "roadstead.dev/balance: x\n",
  ].map { Array($0.utf8) }

  /// Changes a few bytes, words or stretches of `bytes`.
  private static func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      let at = Int.random(in: 0...bytes.count, using: &random)
      let end = min(bytes.count, at + Int.random(in: 0...40, using: &random))
      switch Int.random(in: 0..<6, using: &random) {
      case 0: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &random) }
      case 1: bytes.removeSubrange(at..<end)
      case 2: bytes.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: at)
      case 3: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
      case 4: bytes.replaceSubrange(at..<end, with: tokens.randomElement(using: &random) ?? [])
      default: bytes = Array(bytes.prefix(at))
      }
    }
    return bytes
  }

  /// Reads `bytes`, and does with the result all that a control plane would.
  private static func exercise(_ bytes: [UInt8], file: String) {
    guard let content = try? ManifestContent(bytes, file: file) else { return }
    var store = ObjectStore()
    for problem in content.problems {
      let line = problem.description
      #expect(!line.utf8.contains(0x0A))
      #expect(problem.line ?? 0 >= 1)
    }
    for entry in content.entries { store.insert(entry.object, source: ObjectSource(file: file, line: entry.line)) }
    for target in TargetPolicy.allCases {
      let resolver = EndpointResolver(target: target, nodeName: "node-1", listsMismatches: true)
      for service in store.services.values {
        let result = resolver.resolve(service.object, in: store)
        #expect(result.ports.count == service.object.spec.ports.count)
        // No address twice, and no port 0.
        for port in result.ports {
          #expect(Set(port.endpoints.map(\.address)).count == port.endpoints.count)
          #expect(port.endpoints.allSatisfy { $0.address.port > 0 })
        }
      }
    }
    for entry in content.entries { store.remove(entry.object.reference) }
    #expect(store.count == 0)
  }

  @Test func `no bytes crash the reader`() throws {
    let seed = Self.environment("ROADSTEAD_SEED") ?? UInt64.random(in: 0...UInt64.max)
    let steps = Int(Self.environment("ROADSTEAD_STEPS") ?? 3000)
    print("ROADSTEAD_SEED=\(seed) ROADSTEAD_STEPS=\(steps)")
    var random = SeededRandom(seed: seed)
    let json = Data(
      #"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"type":"LoadBalancer","selector":{"app":"web"},"ports":[{"port":80,"targetPort":"http"}]}}]}"#
        .utf8)
    let models: [([UInt8], String)] = [
      (Array(Exports.everything.utf8), "a.yaml"), (Array(serviceText("web").utf8), "a.yaml"), (Array(json), "a.json"),
      (Array(json), "a.yaml"), ([], "a.yaml"), ([], "a.json"),
    ]
    for _ in 0..<steps {
      let (model, file) = models.randomElement(using: &random) ?? ([], "a.yaml")
      Self.exercise(Self.mutate(model, &random), file: file)
      if Int.random(in: 0..<4, using: &random) == 0 {
        let noise = (0..<Int.random(in: 0...200, using: &random)).flatMap { _ in
          Bool.random(using: &random)
            ? Self.tokens.randomElement(using: &random) ?? [] : [UInt8.random(in: 0...127, using: &random)]
        }
        Self.exercise(noise, file: file)
      }
    }
  }

  @Test func `the incremental loader ends where a fresh one begins`() throws {
    let seed = Self.environment("ROADSTEAD_SEED") ?? UInt64.random(in: 0...UInt64.max)
    print("ROADSTEAD_SEED=\(seed)")
    var random = SeededRandom(seed: seed)
    let directory = try TemporaryDirectory()
    var loader = ManifestLoader(paths: [directory.path])
    _ = loader.reload()
    let names = ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]
    func object() -> String {
      let app = ["web", "db"].randomElement(using: &random) ?? "web"
      switch Int.random(in: 0..<4, using: &random) {
      case 0: return serviceText(app, port: Int.random(in: 1...3, using: &random))
      case 1:
        let name = ["p", "q", "r"].randomElement(using: &random) ?? "p"
        return "apiVersion: v1\nkind: Pod\nmetadata: {name: \(name), labels: {app: \(app)}}\nstatus: {phase: Running, "
          + "podIP: 10.0.0.\(Int.random(in: 1...9, using: &random)), conditions: [{type: Ready, status: \"True\"}]}\n"
      case 2:
        return "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: s, labels: "
          + "{kubernetes.io/service-name: \(app)}}\nports: [{port: 80}]\nendpoints: [{addresses: [10.1.0.1]}]\n"
      default:
        return
          "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {x: a\(Int.random(in: 0...2, using: &random))}}\n"
      }
    }
    // What was resolved so far, brought up to date only where the loader says so.
    var resolved: [NamespacedName: ServiceEndpoints] = [:]
    let resolver = EndpointResolver()
    for _ in 0..<400 {
      let name = names.randomElement(using: &random) ?? "a.yaml"
      if Int.random(in: 0..<4, using: &random) == 0 {
        try? directory.remove(name)
      } else {
        try directory.write(
          name, (0..<Int.random(in: 0...4, using: &random)).map { _ in object() }.joined(separator: "\n---\n"))
      }
      let snapshot = loader.refresh(["\(directory.path)/\(name)"])
      for service in snapshot?.affectedServices ?? [] {
        resolved[service] = snapshot?.store.services[service].map {
          resolver.resolve($0.object, in: snapshot?.store ?? ObjectStore())
        }
      }
      let now = loader.current()
      let fresh = ManifestLoader.load([directory.path])
      #expect(Self.dump(now.store) == Self.dump(fresh.store))
      #expect(now.problems == fresh.problems)
      #expect(now.files == fresh.files)
      let expected = fresh.store.services.mapValues { resolver.resolve($0.object, in: fresh.store) }
      #expect(resolved == expected)
      if resolved != expected { break }
    }
  }

  private static func dump(_ store: ObjectStore) -> [String] {
    var lines: [String] = []
    lines += store.services.map { "\($0.key) \($0.value.object) \($0.value.source)" }
    lines += store.pods.map { "\($0.key) \($0.value.object) \($0.value.source)" }
    lines += store.endpointSlices.map { "\($0.key) \($0.value.object) \($0.value.source)" }
    lines += store.nodes.map { "\($0.key) \($0.value.object) \($0.value.source)" }
    return lines.sorted()
  }
}
