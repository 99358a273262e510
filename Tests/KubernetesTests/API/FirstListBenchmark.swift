import Foundation
import HTTPTransport
import Testing

@testable import Kubernetes

/// Prints how long the first list of a big cluster takes and how much memory it needs; asserts nothing about either.
///
/// With `ROADSTEAD_BENCHMARK` set it does so at full size: 5,000 Services, 5,000 EndpointSlices of 10 endpoints, 1,000
/// Nodes; and pages of 500 EndpointSlices of 100 endpoints. The target in a release build: under 10 s, under 400 MB
/// resident. `ROADSTEAD_BENCHMARK=1 swift test -c release -Xswiftc -enable-testing --filter FirstListBenchmark`.
@Suite(.serialized) struct FirstListBenchmark {
  static let isWhole = ProcessInfo.processInfo.environment["ROADSTEAD_BENCHMARK"] != nil
  static let services = isWhole ? 5000 : 40

  /// As a real server writes it, with managedFields.
  static func service(_ index: Int) -> String {
    """
    {"metadata":{"name":"service-\(index)","namespace":"shop-\(index % 50)",\
    "uid":"3c1d6a0e-0000-4000-8000-\(100_000_000_000 + index)",\
    "resourceVersion":"\(1000 + index)","creationTimestamp":"2026-01-01T00:00:00Z",\
    "labels":{"app":"service-\(index)","team":"t\(index % 9)"},\
    "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\\"apiVersion\\":\\"v1\\",\
    \\"kind\\":\\"Service\\",\\"metadata\\":{\\"name\\":\\"service-\(index)\\"}}\\n"},\
    "managedFields":[{"manager":"kubectl-client-side-apply","operation":"Update","apiVersion":"v1",\
    "time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1",\
    "fieldsV1":{"f:metadata":{"f:annotations":{".":{},"f:kubectl.kubernetes.io/last-applied-configuration":{}},\
    "f:labels":{".":{},"f:app":{}}},\
    "f:spec":{"f:allocateLoadBalancerNodePorts":{},"f:externalTrafficPolicy":{},"f:internalTrafficPolicy":{},\
    "f:ports":{".":{},\
    "k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}},\
    "f:selector":{},"f:sessionAffinity":{},"f:type":{}}}}]},\
    "spec":{"ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":8080,\
    "nodePort":\(30000 + index % 2000)}],"selector":{"app":"service-\(index)"},\
    "clusterIP":"10.96.\(index / 250).\(index % 250)","clusterIPs":["10.96.\(index / 250).\(index % 250)"],\
    "type":"LoadBalancer","sessionAffinity":"None",\
    "externalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack",\
    "allocateLoadBalancerNodePorts":true,"internalTrafficPolicy":"Cluster"},\
    "status":{"loadBalancer":{"ingress":[{"ip":"10.101.\(index / 250).\(index % 250)","ipMode":"Proxy"}]}}}
    """
  }

  static func slice(_ index: Int, _ endpoints: Int) -> String {
    let list = (0..<endpoints).map { endpoint in
      """
      {"addresses":["10.\(index / 250 % 250).\(index % 250).\(endpoint)"],"conditions":{"ready":true,"serving":true,\
      "terminating":false},\
      "targetRef":{"kind":"Pod","namespace":"shop-\(index % 50)",\
      "name":"service-\(index)-7c5ddbdf54-\(10000 + endpoint)",\
      "uid":"5c1d6a0e-0000-4000-8000-\(100_000_000_000 + endpoint)"},\
      "nodeName":"worker-node-\(endpoint % 1000)","zone":"zone-a"}
      """
    }
    return """
      {"metadata":{"name":"service-\(index)-x7k2p","generateName":"service-\(index)-",\
      "namespace":"shop-\(index % 50)","uid":"4c1d6a0e-0000-4000-8000-\(100_000_000_000 + index)",\
      "resourceVersion":"\(90000 + index)","generation":3,"labels":{"app":"service-\(index)",\
      "endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io",\
      "kubernetes.io/service-name":"service-\(index)"},\
      "ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"service-\(index)","uid":"x","controller":true,\
      "blockOwnerDeletion":true}],\
      "managedFields":[{"manager":"kube-controller-manager","operation":"Update","fieldsV1":{"f:addressType":{},\
      "f:endpoints":{},"f:ports":{}}}]},\
      "addressType":"IPv4","endpoints":[\(list.joined(separator: ","))],"ports":[{"name":"http","port":8080,\
      "protocol":"TCP"}]}
      """
  }

  static func node(_ index: Int) -> String {
    let images = (0..<50).map {
      #"{"names":["registry.example/image-\#($0)@sha256:0123456789abcdef0123456789abcdef"],"sizeBytes":1234567}"#
    }
    return """
      {"metadata":{"name":"worker-node-\(index)","resourceVersion":"\(index + 1)",\
      "labels":{"topology.kubernetes.io/zone":"zone-a"}},"spec":{"podCIDR":"10.0.0.0/24"},\
      "status":{"capacity":{"cpu":"4","memory":"16Gi"},"conditions":[{"type":"Ready","status":"True",\
      "reason":"KubeletReady"}],\
      "addresses":[{"type":"InternalIP","address":"192.168.\(index / 250).\(index % 250)"},{"type":"Hostname",\
      "address":"worker-node-\(index)"}],"images":[\(images.joined(separator: ","))]}}
      """
  }

  /// Makes pages as they are asked for, so that the server's half is not in memory.
  static let transport = ScriptedTransport { request in
    let path = request.url.dropFirst("http://test".count)
    guard let kind = ObjectKind.allCases.first(where: { path.prefix { $0 != "?" } == $0.path }) else { return nil }
    guard !path.contains("watch=1") else { return .stream([]) }
    let total = kind == .service || kind == .endpointSlice ? services : kind == .node ? services / 5 : 0
    let start = path.firstRange(of: "&continue=").flatMap { Int(path[$0.upperBound...]) } ?? 0
    let end = min(start + ReflectorState.pageSize, total)
    let items = (start..<end).map { kind == .service ? service($0) : kind == .node ? node($0) : slice($0, 10) }
    return .whole(APITexts.list(kind, "100000", items, continuation: end < total ? "\(end)" : nil))
  }

  /// Of /proc/self/status, in MB.
  static func memory(_ field: String) -> String {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(field) } ?? ""
    return "\(field) \((line.split(separator: " ").compactMap { Int($0) }.first ?? 0) / 1024) MB"
  }

  @Test("the first list of a big cluster")
  func firstList() async throws {
    print("before: \(Self.memory("VmRSS:"))")
    let watcher = ClusterWatcher(client: APIClient(transport: Self.transport, server: "http://test"))
    let started = ContinuousClock.now
    await watcher.start()
    let snapshot = try #require(await watcher.next())
    print("\(Self.services) Services, \(Self.services * 10) endpoints: synced after \(ContinuousClock.now - started)")
    print("after: \(Self.memory("VmRSS:")), \(Self.memory("VmHWM:"))")
    #expect(snapshot.isSynced)
    #expect(snapshot.store.count == 2 * Self.services + Self.services / 5)
    #expect(snapshot.problems == [])
    let resolver = EndpointResolver()
    let resolving = ContinuousClock.now
    let count = snapshot.store.services.values.reduce(0) {
      $0 + resolver.resolve($1.object, in: snapshot.store).ports[0].endpoints.count
    }
    print("resolving \(count) endpoints took \(ContinuousClock.now - resolving)")
    #expect(count == Self.services * 10)
    await watcher.stop()
  }

  @Test("pages of one kind")
  func pages() throws {
    let count = Self.isWhole ? 500 : 5
    let pages: [(ObjectKind, [String])] = [
      (.service, (0..<count).map { Self.service($0) }),
      (.endpointSlice, (0..<count).map { Self.slice($0, 100) }), (.node, (0..<count).map { Self.node($0) }),
    ]
    for (kind, items) in pages {
      let bytes = Array(APITexts.list(kind, "1", items).utf8)
      let before = Self.memory("VmRSS:")
      let started = ContinuousClock.now
      let page = try ObjectPage(bytes, of: kind)
      print(
        "\(count) \(kind.rawValue)s, \(bytes.count >> 10) KiB: \(ContinuousClock.now - started);",
        "\(before) -> \(Self.memory("VmRSS:"))"
      )
      #expect(page.objects.allSatisfy { $0.object != nil && $0.problems == [] })
    }
  }
}
