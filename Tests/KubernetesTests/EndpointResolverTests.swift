import Addresses
import Testing

@testable import Kubernetes

struct EndpointResolverTests {
  static func service(_ spec: String = "", ports: String = "[{port: 8080, targetPort: 80}]", annotations: String = "{}")
    -> String
  {
    """
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web, annotations: \(annotations)}
    spec:
      type: LoadBalancer
      ports: \(ports)
      \(spec)

    """
  }

  static let selecting = service("selector: {app: webserver}")

  static func pod(
    _ name: String, _ ip: String = "10.0.0.1", labels: String = "app: webserver", ready: String? = "True",
    phase: String? = "Running", node: String = "node-1", meta: String = "", ports: String = "[]"
  ) -> String {
    """
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: \(name), labels: {\(labels)}\(meta)}
    spec: {nodeName: \(node), containers: [{name: c, ports: \(ports)}]}
    status:
      \(phase.map { "phase: \($0)" } ?? "message: none")
      podIPs: [\(ip.split(separator: " ").map { "{ip: \"\($0)\"}" }.joined(separator: ", "))]
      conditions: [\(ready.map { "{type: Ready, status: \"\($0)\", reason: ContainersNotReady}" } ?? "")]

    """
  }

  static func slice(
    _ endpoints: [String], name: String = "web-1", type: String = "IPv4", ports: String = "[{name: \"\", port: 80}]"
  ) -> String {
    """
    ---
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: \(name), labels: {kubernetes.io/service-name: web}}
    addressType: \(type)
    ports: \(ports)
    endpoints: [\(endpoints.joined(separator: ","))]

    """
  }

  static func endpoint(_ ip: String, _ pod: String? = nil, _ conditions: String = "", node: String = "node-1") -> String
  {
    "{addresses: [\"\(ip)\"], nodeName: \(node), conditions: {\(conditions)}"
      + (pod.map { ", targetRef: {kind: Pod, name: \($0)}}" } ?? "}")
  }

  static func node(
    _ name: String, _ addresses: String = "{type: InternalIP, address: 192.168.118.10}", meta: String = "",
    ready: String? = "True"
  ) -> String {
    """
    ---
    apiVersion: v1
    kind: Node
    metadata: {name: \(name)\(meta)}
    status:
      addresses: [\(addresses)]
      conditions: [\(ready.map { "{type: Ready, status: \"\($0)\", reason: KubeletNotReady}" } ?? "")]

    """
  }

  static func resolve(_ texts: String..., resolver: EndpointResolver = EndpointResolver()) throws -> ServiceEndpoints {
    let store = try KubernetesTests.store(texts.joined())
    return resolver.resolve(try KubernetesTests.service(store), in: store)
  }

  static func addresses(_ result: ServiceEndpoints, port: Int = 0) -> [String] {
    result.ports[port].endpoints.map { "\($0.name)=\($0.address)" }
  }

  static func reasons(_ result: ServiceEndpoints, port: Int = 0) -> [String] {
    result.ports[port].excluded.map(\.description)
  }

  @Test func `pods that carry the selector's labels and are ready take traffic, and no other`() throws {
    let result = try Self.resolve(
      Self.selecting, Self.pod("web-1"), Self.pod("web-2", "10.0.0.2", labels: "app: webserver, tier: x"),
      Self.pod("db-1", "10.0.0.3", labels: "app: db"), Self.pod("web-3", "10.0.0.4", meta: ", namespace: shop"),
      resolver: EndpointResolver(listsMismatches: true))
    #expect(result.source == .selector)
    #expect(result.reason == "selector app=webserver over Pods: 2 match")
    #expect(Self.addresses(result) == ["web-1=10.0.0.1:80", "web-2=10.0.0.2:80"])
    #expect(Self.reasons(result) == ["pod db-1 label app=db does not match app: webserver"])
  }

  static let unfitPods: [(String, String)] = [
    (pod("web-3", ready: "False"), "pod web-3 is not Ready (ContainersNotReady)"),
    (pod("web-3", ready: "Unknown"), "pod web-3 is not Ready (ContainersNotReady)"),
    (pod("web-3", ready: nil), "pod web-3 has no Ready condition"),
    (pod("web-3", phase: "Pending"), "pod web-3 is in phase Pending"),
    (pod("web-3", "", phase: "Pending"), "pod web-3 is in phase Pending"),
    (pod("web-3", phase: "Succeeded"), "pod web-3 is in phase Succeeded"),
    (pod("web-3", phase: "Failed"), "pod web-3 is in phase Failed"),
    (pod("web-3", phase: nil), "pod web-3 has no status.phase"),
    (pod("web-3", ""), "pod web-3 has no IP"),
    (pod("web-3", meta: ", deletionTimestamp: x"), "pod web-3 is terminating"),
    (pod("web-3", ready: "False", meta: ", deletionTimestamp: x"), "pod web-3 is terminating and no longer serving"),
  ]

  @Test("a pod that is not fit takes no traffic, and it is said why", arguments: unfitPods)
  func unfitPod(text: String, reason: String) throws {
    let result = try Self.resolve(Self.selecting, text, Self.pod("web-1", "10.0.0.9"))
    #expect(Self.addresses(result) == ["web-1=10.0.0.9:80"])
    #expect(Self.reasons(result) == [reason])
  }

  @Test func `terminating pods that still serve are used while none is ready`() throws {
    let leaving = Self.pod("web-1", meta: ", deletionTimestamp: x")
    let result = try Self.resolve(
      Self.selecting, leaving, Self.pod("web-2", "10.0.0.2", ready: "False"),
      Self.pod("web-3", "10.0.0.3", ready: "False", meta: ", deletionTimestamp: x"))
    #expect(Self.addresses(result) == ["web-1=10.0.0.1:80"])
    #expect(result.ports[0].endpoints[0].isTerminating)
    #expect(Self.reasons(result).count == 2)
  }

  @Test func `publishNotReadyAddresses takes every pod that has an address and has not ended`() throws {
    let result = try Self.resolve(
      Self.service("selector: {app: webserver}\n  publishNotReadyAddresses: true"),
      Self.pod("web-1", ready: "False"), Self.pod("web-2", "10.0.0.2", meta: ", deletionTimestamp: x"),
      Self.pod("web-3", "10.0.0.3", phase: "Failed"), Self.pod("web-4", "10.0.0.4", phase: "Pending"))
    #expect(Self.addresses(result) == ["web-1=10.0.0.1:80", "web-2=10.0.0.2:80", "web-4=10.0.0.4:80"])
  }

  @Test func `ports go by number, by name and by protocol, each on its own`() throws {
    let ports = """
      [{name: http, port: 80, targetPort: web}, {name: same, port: 9000}, \
      {name: dns, port: 53, protocol: UDP, targetPort: dns}, {name: s, port: 7, protocol: SCTP}]
      """
    let podPorts = "[{name: web, containerPort: 8080}, {name: dns, containerPort: 5353, protocol: UDP}]"
    let result = try Self.resolve(
      Self.service("selector: {app: webserver}", ports: ports), Self.pod("web-1", ports: podPorts),
      Self.pod("web-2", "10.0.0.2", ports: "[{name: web, containerPort: 81}, {name: dns, containerPort: 53}]"))
    #expect(Self.addresses(result) == ["web-1=10.0.0.1:8080", "web-2=10.0.0.2:81"])
    #expect(Self.addresses(result, port: 1) == ["web-1=10.0.0.1:9000", "web-2=10.0.0.2:9000"])
    #expect(Self.addresses(result, port: 2) == ["web-1=10.0.0.1:5353"])
    #expect(Self.reasons(result, port: 2) == ["pod web-2 has no port named dns"])
    #expect(result.ports[3].problem == "SCTP is not supported")
    #expect(result.ports[3].endpoints.isEmpty)
  }

  static let families: [(String, [String])] = [
    ("", ["a=10.0.0.1:80", "b=[fd00::2]:80"]), ("\n  ipFamilies: [IPv6]", ["a=[fd00::1]:80", "b=[fd00::2]:80"]),
    ("\n  ipFamilies: [IPv4]", ["a=10.0.0.1:80"]),
    ("\n  ipFamilies: [IPv6, IPv4]", ["a=[fd00::1]:80", "b=[fd00::2]:80"]),
  ]

  @Test("a dual-stack pod is listed once, with its address of the Service's first family", arguments: families)
  func dualStack(spec: String, expected: [String]) throws {
    let result = try Self.resolve(
      Self.service("selector: {app: webserver}" + spec), Self.pod("a", "10.0.0.1 fd00::1"), Self.pod("b", "fd00::2"))
    #expect(Self.addresses(result) == expected)
    if expected.count == 1 { #expect(Self.reasons(result) == ["pod b has no address of the Service's address family"]) }
  }

  static let conditions: [(String, String)] = [
    ("", "ready"), ("ready: true", "ready"), ("ready: true, serving: false", "ready"), ("serving: false", "ready"),
    ("ready: false", "is not Ready"), ("ready: false, serving: true", "is not Ready"),
    ("ready: false, serving: true, terminating: true", "is terminating"),
    ("ready: false, serving: false, terminating: true", "is terminating and no longer serving"),
    ("ready: false, terminating: true", "is terminating and no longer serving"),
    ("ready: true, serving: true, terminating: true", "ready"),
  ]

  @Test("an endpoint's conditions mean what the API says", arguments: conditions)
  func sliceConditions(conditions: String, meaning: String) throws {
    let result = try Self.resolve(
      Self.service(),
      Self.slice([Self.endpoint("10.0.0.1", "a", conditions), Self.endpoint("10.0.0.2", "b")]))
    let expected = meaning == "ready" ? ["a=10.0.0.1:80", "b=10.0.0.2:80"] : ["b=10.0.0.2:80"]
    #expect(Self.addresses(result) == expected)
    #expect(Self.reasons(result) == (meaning == "ready" ? [] : ["pod a \(meaning)"]))
  }

  @Test func `terminating endpoints of slices serve while none is ready`() throws {
    let leaving = "ready: false, serving: true, terminating: true"
    let result = try Self.resolve(
      Self.service(),
      Self.slice(
        [Self.endpoint("10.0.0.1", "a", leaving), Self.endpoint("10.0.0.2", "b", "ready: false, terminating: true")]
      ))
    #expect(Self.addresses(result) == ["a=10.0.0.1:80"])
    #expect(result.ports[0].endpoints[0].isTerminating)
  }

  @Test func `slices go before Endpoints, Endpoints before the selector`() throws {
    let endpoints = """
      ---
      apiVersion: v1
      kind: Endpoints
      metadata: {name: web}
      subsets: [{addresses: [{ip: 10.0.1.1, targetRef: {kind: Pod, name: e}}], notReadyAddresses: [{ip: 10.0.1.2}], ports: [{port: 81}]}]

      """
    let slice = Self.slice([Self.endpoint("10.0.2.1", "s")])
    var result = try Self.resolve(Self.selecting, Self.pod("p"), endpoints, slice)
    #expect(result.source == .endpointSlices)
    #expect(Self.addresses(result) == ["s=10.0.2.1:80"])
    result = try Self.resolve(Self.selecting, Self.pod("p"), endpoints)
    #expect(result.source == .endpoints)
    #expect(Self.addresses(result) == ["e=10.0.1.1:81"])
    #expect(Self.reasons(result) == ["endpoint 10.0.1.2 is not Ready"])
    result = try Self.resolve(Self.selecting, Self.pod("p"))
    #expect(result.source == .selector)
  }

  @Test func `endpoints in several slices are merged, ports go by the Service port's name`() throws {
    let result = try Self.resolve(
      Self.service(ports: "[{name: a, port: 1}, {name: b, port: 2}]"),
      Self.slice([Self.endpoint("10.0.0.1", "p"), Self.endpoint("10.0.0.2")], ports: "[{name: a, port: 80}]"),
      Self.slice(
        [Self.endpoint("10.0.0.1", "p")], name: "web-2", ports: "[{name: a, port: 80}, {name: b, port: 90}]"),
      Self.slice([Self.endpoint("10.0.0.3")], name: "web-3", ports: "[{name: a}]"))
    #expect(Self.addresses(result) == ["10.0.0.2=10.0.0.2:80", "p=10.0.0.1:80"])
    #expect(Self.addresses(result, port: 1) == ["p=10.0.0.1:90"])
    #expect(Self.reasons(result) == ["endpoint 10.0.0.3 has no port named a"])
  }

  @Test func `slices of the other family count only where there are none of the first`() throws {
    let v4 = Self.slice([Self.endpoint("10.0.0.1", "p"), Self.endpoint("10.0.0.2", "q")])
    let v6 = Self.slice(
      [Self.endpoint("fd00::1", "p"), Self.endpoint("fd00::3", "r")], name: "web-2", type: "IPv6")
    let names = Self.slice(["{addresses: [example.com], hostname: x}"], name: "web-3", type: "FQDN")
    var result = try Self.resolve(Self.service(), v4, v6, names)
    #expect(Self.addresses(result) == ["p=10.0.0.1:80", "q=10.0.0.2:80"])
    #expect(
      Self.reasons(result) == [
        "pod r has no address of the Service's address family",
        "endpoint x is a host name (addressType FQDN), which is not supported",
      ])
    result = try Self.resolve(Self.service("ipFamilies: [IPv6, IPv4]"), v4, v6)
    #expect(Self.addresses(result) == ["p=[fd00::1]:80", "r=[fd00::3]:80"])
    result = try Self.resolve(Self.service(), v6)
    #expect(Self.addresses(result).count == 2)
  }

  @Test func `Local takes the endpoints of this process's node, and says when it cannot`() throws {
    let texts =
      Self.service("selector: {app: webserver}\n  externalTrafficPolicy: Local") + Self.pod("a")
      + Self.pod("b", "10.0.0.2", node: "node-2") + Self.pod("c", "10.0.0.3", meta: ", deletionTimestamp: x")
    var result = try Self.resolve(texts, resolver: EndpointResolver(nodeName: "node-2"))
    #expect(Self.addresses(result) == ["b=10.0.0.2:80"])
    #expect(
      Self.reasons(result) == [
        "pod a is on node node-1, and externalTrafficPolicy is Local to node-2",
        "pod c is on node node-1, and externalTrafficPolicy is Local to node-2",
      ])
    #expect(result.notes == [])
    result = try Self.resolve(texts)
    #expect(Self.addresses(result) == ["a=10.0.0.1:80", "b=10.0.0.2:80"])
    #expect(result.notes == ["externalTrafficPolicy: Local does not restrict: this process does not know its node"])
  }

  static let nodePortService = service("selector: {app: webserver}", ports: "[{port: 8080, nodePort: 31231}]")
  static func address(_ last: Int, type: String = "InternalIP") -> String {
    "{type: \(type), address: 192.168.118.\(last)}"
  }

  @Test func `where only Nodes are known, traffic goes to their NodePorts`() throws {
    let result = try Self.resolve(
      Self.nodePortService, Self.node("n10", Self.address(10)), Self.node("n11", Self.address(11), ready: nil),
      Self.node("n12", Self.address(12), ready: "False"),
      Self.node(
        "n13", Self.address(13), meta: ", labels: {node.kubernetes.io/exclude-from-external-load-balancers: \"\"}"),
      Self.node("n14", Self.address(14, type: "ExternalIP")),
      Self.node(
        "n15", Self.address(99, type: "ExternalIP") + "," + Self.address(15),
        meta: ", labels: {topology.kubernetes.io/zone: z1}"),
      Self.node("n16", "{type: Hostname, address: n16}"), Self.node("n17", "{type: InternalIP, address: \"fd00::17\"}"))
    #expect(result.source == .nodePorts)
    #expect(result.reason == "NodePorts of 8 Nodes (target auto: no endpoint is known)")
    #expect(
      Self.addresses(result) == [
        "n10=192.168.118.10:31231", "n11=192.168.118.11:31231", "n14=192.168.118.14:31231", "n15=192.168.118.15:31231",
        "n17=[fd00::17]:31231",
      ])
    #expect(result.ports[0].endpoints[3].zone == "z1")
    #expect(
      Self.reasons(result) == [
        "node n12 is not Ready (KubeletNotReady)",
        "node n13 carries the label node.kubernetes.io/exclude-from-external-load-balancers", "node n16 has no IP",
      ])
  }

  @Test func `auto goes to Pods where Pods are known, and the annotation and the option override it`() throws {
    let node = Self.node("n10", Self.address(10))
    var result = try Self.resolve(Self.nodePortService, node, Self.pod("other", labels: "app: db"))
    #expect(result.source == .selector)
    #expect(result.ports[0].endpoints.isEmpty)
    result = try Self.resolve(Self.nodePortService, node, Self.pod("a"), resolver: EndpointResolver(target: .nodePort))
    #expect(result.source == .nodePorts)
    #expect(result.reason == "NodePorts of 1 Node (target node-port)")
    let annotated = Self.service(
      "selector: {app: webserver}", ports: "[{port: 80, nodePort: 31231}]", annotations: "{roadstead.dev/target: pod}")
    result = try Self.resolve(annotated, node, Self.pod("a"), resolver: EndpointResolver(target: .nodePort))
    #expect(result.source == .selector)
    #expect(result.reason == "selector app=webserver over Pods: 1 match (annotation roadstead.dev/target)")
    result = try Self.resolve(Self.selecting, node)
    #expect(result.ports[0].problem == "nodePort is not set, and the target is node-port")
  }

  @Test func `nothing to look in is said`() throws {
    var result = try Self.resolve(Self.service())
    #expect(result.source == .none)
    #expect(result.reason == "the Service has no selector, no EndpointSlice and no Endpoints")
    #expect(result.ports.count == 1)
    result = try Self.resolve(Self.service(), resolver: EndpointResolver(target: .nodePort))
    #expect(result.reason == "no Node is known (target node-port)")
    result = try Self.resolve(Self.selecting)
    #expect(result.reason == "selector app=webserver over Pods: 0 match")
  }

  @Test func `with NodePorts, Local takes only nodes that have a ready endpoint`() throws {
    let local = Self.service(
      "selector: {app: webserver}\n  externalTrafficPolicy: Local", ports: "[{port: 80, nodePort: 31231}]")
    let nodes = Self.node("n10", Self.address(10)) + Self.node("n11", Self.address(11))
    let byPort = EndpointResolver(target: .nodePort)
    var result = try Self.resolve(
      local, nodes, Self.pod("a", node: "n11"), Self.pod("b", ready: "False", node: "n10"), resolver: byPort)
    #expect(Self.addresses(result) == ["n11=192.168.118.11:31231"])
    #expect(Self.reasons(result) == ["node n10 has no ready endpoint, and externalTrafficPolicy is Local"])
    #expect(result.notes == [])
    result = try Self.resolve(local, nodes)
    #expect(Self.addresses(result).count == 2)
    #expect(result.notes == ["externalTrafficPolicy: Local does not restrict: which nodes have endpoints is not known"])
  }

  @Test func `zones come from the endpoint, else from its node`() throws {
    let result = try Self.resolve(
      Self.selecting, Self.pod("a", node: "n10"), Self.pod("b", "10.0.0.2"),
      Self.node("n10", Self.address(10), meta: ", labels: {topology.kubernetes.io/zone: z1}"))
    #expect(result.ports[0].endpoints.map(\.zone) == ["z1", nil])
    #expect(result.ports[0].endpoints.map(\.node) == ["n10", "node-1"])
  }
}
