import Foundation
import Testing

@testable import Kubernetes

/// Prints how long loading takes, and asserts nothing about time.
///
/// With `ROADSTEAD_BENCHMARK` set it does so at full size: 1,000 files of a Service and an EndpointSlice with 10
/// endpoints. The targets, in a release build on one core: 1 s from JSON, 3 s from YAML. Run it with
/// `ROADSTEAD_BENCHMARK=1 swift test -c release -Xswiftc -enable-testing --filter ManifestLoadBenchmark`.
@Suite(.serialized) struct ManifestLoadBenchmark {
  static let isWhole = ProcessInfo.processInfo.environment["ROADSTEAD_BENCHMARK"] != nil
  static let count = isWhole ? 1000 : 20

  static func yaml(_ index: Int, port: Int = 8080) -> String {
    let endpoints = (0..<10).map { endpoint in
      """
      - addresses:
        - 10.\(index / 250).\(index % 250).\(endpoint)
        conditions:
          ready: true
          serving: true
          terminating: false
        nodeName: node-\(endpoint)
        targetRef:
          kind: Pod
          name: svc-\(index)-\(endpoint)
          namespace: default
          uid: 00000000-0000-0000-0000-0000\(10_000_000 + endpoint)
        zone: zone-a
      """
    }
    return """
      apiVersion: v1
      kind: Service
      metadata:
        name: svc-\(index)
        namespace: default
        labels:
          app: svc-\(index)
      spec:
        type: LoadBalancer
        ports:
        - name: http
          port: \(port)
          protocol: TCP
          targetPort: 80
        selector:
          app: svc-\(index)
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata:
        name: svc-\(index)-abcde
        namespace: default
        labels:
          kubernetes.io/service-name: svc-\(index)
      addressType: IPv4
      ports:
      - name: http
        port: 80
        protocol: TCP
      endpoints:
      \(endpoints.joined(separator: "\n"))

      """
  }

  static func json(_ index: Int) throws -> Data {
    func tree(_ value: MarkedValue) -> Any {
      switch value.content {
      case .null: NSNull()
      case .bool(let flag): flag
      case .integer(let number): number
      case .decimal(let number): number
      case .string(let text): text
      case .list(let values): values.map { tree($0) }
      case .map(let fields): Dictionary(uniqueKeysWithValues: fields.map { ($0.key, tree($0.value)) })
      }
    }
    return try YAMLText.documents(yaml(index)).map {
      try JSONSerialization.data(withJSONObject: tree($0), options: [.prettyPrinted, .sortedKeys])
    }.reduce(Data()) { $0 + $1 }
  }

  private func time<T>(_ what: String, _ body: () throws -> T) rethrows -> T {
    let started = ContinuousClock.now
    let result = try body()
    print("\(Self.count) files: \(what) took \(ContinuousClock.now - started)")
    return result
  }

  @Test("loading, editing and resolving many Services", arguments: ["json", "yaml"])
  func load(format: String) throws {
    let directory = try TemporaryDirectory()
    for index in 0..<Self.count {
      let data = format == "json" ? try Self.json(index) : Data(Self.yaml(index).utf8)
      try data.write(to: URL(fileURLWithPath: "\(directory.path)/svc-\(index).\(format)"))
    }
    var loader = ManifestLoader(paths: [directory.path])
    var snapshot = time("the first load from \(format)") { loader.reload() }
    #expect(snapshot.store.count == 2 * Self.count)
    #expect(snapshot.problems == [])
    let resolver = EndpointResolver()
    time("resolving all") {
      for service in snapshot.store.services.values {
        #expect(resolver.resolve(service.object, in: snapshot.store).ports[0].endpoints.count == 10)
      }
    }
    let edited = "\(directory.path)/svc-7.\(format)"
    try Data(Self.yaml(7, port: 9090).utf8).write(to: URL(fileURLWithPath: "\(directory.path)/svc-7.yaml"))
    if format == "json" {
      let text = try String(contentsOfFile: edited, encoding: .utf8).replacing("8080", with: "9090")
      try FileManager.default.removeItem(atPath: "\(directory.path)/svc-7.yaml")
      try Data(text.utf8).write(to: URL(fileURLWithPath: edited))
    }
    let refreshed = time("one edit") { loader.refresh([edited]) }
    snapshot = try #require(refreshed)
    #expect(snapshot.changes.count == 1)
    time("resolving what it touched") {
      for name in snapshot.affectedServices {
        _ = snapshot.store.services[name].map { resolver.resolve($0.object, in: snapshot.store) }
      }
    }
    time("looking at all files again") { _ = loader.rescan() }
  }
}
