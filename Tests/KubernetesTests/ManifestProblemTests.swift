import Testing

@testable import Kubernetes

struct ManifestProblemTests {
  static let header = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  type: LoadBalancer\n"
  static let pool = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: lab}\nspec:\n"

  @Test(
    "each mistake is named with file, line, object and field",
    arguments: Self.mistakes)
  func isNamed(_ mistake: Mistake) { #expect(problems(mistake.text) == [mistake.problem]) }

  /// A manifest, and the line that names what is wrong with it.
  struct Mistake {
    let text: String
    let problem: String

    static func service(_ rest: String, _ problem: String) -> Mistake { Mistake(text: header + rest, problem: problem) }
    static func pool(_ rest: String, _ problem: String) -> Mistake {
      Mistake(text: ManifestProblemTests.pool + rest, problem: problem)
    }
    static func text(_ text: String, _ problem: String) -> Mistake { Mistake(text: text, problem: problem) }
  }

  static let mistakes: [Mistake] = [
    .service(
      "  ports: [{port: 70000}]\n",
      "web.yaml:7: Service/web: spec.ports[0].port: must be between 1 and 65535, not 70000"),
    .service("  ports:\n  - name: a\n", "web.yaml:8: Service/web: spec.ports[0].port: is required"),
    .service(
      "  ports:\n  - port: \"80\"\n",
      "web.yaml:8: Service/web: spec.ports[0].port: must be a whole number, not a string ('80')"),
    .service(
      "  ports:\n  - port: 80\n    protocol: tcp\n",
      "web.yaml:9: Service/web: spec.ports[0].protocol: must be one of TCP, UDP, SCTP, not 'tcp'; did you mean 'TCP'?"),
    .service(
      "  ports:\n  - port: 80\n    targetPort: Web_1\n",
      "web.yaml:9: Service/web: spec.ports[0].targetPort: must be a port number or a port name (at most 15 of a-z, 0-9 and '-', with a letter), not 'Web_1'"
    ),
    .service(
      "  ports:\n  - port: 80\n    targetPort: \"80\"\n",
      "web.yaml:9: Service/web: spec.ports[0].targetPort: is a number in quotes; a port number is written without them"),
    .service(
      "  ports:\n  - port: 80\n    targetPort: 0\n",
      "web.yaml:9: Service/web: spec.ports[0].targetPort: must be between 1 and 65535, not 0"),
    .service(
      "  ports:\n  - port: 80\n    targetPort: true\n",
      "web.yaml:9: Service/web: spec.ports[0].targetPort: must be a port number or a port name, not a boolean (true)"),
    .service(
      "  ports:\n  - {port: 80, name: a}\n  - {port: 81}\n",
      "web.yaml:9: Service/web: spec.ports[1].name: is required where a Service has more than one port"),
    .service(
      "  ports:\n  - {port: 80, name: a}\n  - {port: 81, name: a}\n",
      "web.yaml:9: Service/web: spec.ports[1].name: 'a' names two ports"),
    .service(
      "  ports:\n  - {port: 80, name: a}\n  - {port: 80, name: b}\n",
      "web.yaml:9: Service/web: spec.ports[1].port: 80/TCP appears twice"),
    .service("", "web.yaml:6: Service/web: spec.ports: must list at least one port"),
    .service("  ports: {port: 80}\n", "web.yaml:7: Service/web: spec.ports: must be a list, not a mapping"),
    .service(
      "  ports: [{port: 80}]\n  selector: {app: 1}\n",
      "web.yaml:8: Service/web: spec.selector[app]: must be a string, not a number (1); put it in quotes"),
    .service(
      "  ports: [{port: 80}]\n  selektor: {app: a}\n",
      "web.yaml:8: Service/web: spec.selektor: warning: unknown field; did you mean 'selector'?"),
    .service(
      "  ports: [{port: 80, protocol: SCTP}]\n",
      "web.yaml:7: Service/web: spec.ports[0].protocol: warning: SCTP is not supported; this port is not served"),
    .service(
      "  ports: [{port: 80}]\n  loadBalancerIP: 10.1.2\n",
      "web.yaml:8: Service/web: spec.loadBalancerIP: must be an IP address, not '10.1.2'"),
    .service(
      "  ports: [{port: 80}]\n  ipFamilies: [IPv4, IPv5]\n",
      "web.yaml:8: Service/web: spec.ipFamilies[1]: must be one of IPv4, IPv6, not 'IPv5'; did you mean 'IPv4'?"),
    .service(
      "  ports: [{port: 80}]\n  loadBalancerSourceRanges: [10.0.0.0]\n",
      "web.yaml:8: Service/web: spec.loadBalancerSourceRanges[0]: must be an address and a prefix length as 10.0.0.0/8, not '10.0.0.0'"
    ),
    .text("apiVersion: v1\nkind: Service\nmetadata: {}\nspec: {}\n", "web.yaml:3: Service: metadata.name: is required"),
    .text("apiVersion: v1\nkind: Service\nspec: {}\n", "web.yaml:1: Service: metadata: is required, as a mapping"),
    .text("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n", "web.yaml:1: Service/web: spec: is required"),
    .text(
      "apiVersion: v1\nkind: Service\nmetadata: {name: Web_1}\nspec: {}\n",
      "web.yaml:3: Service/Web_1: metadata.name: must be at most 63 of a-z, 0-9 and '-', not 'Web_1'"),
    .text(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {a: 1}}\n",
      "web.yaml:3: Pod/a: metadata.annotations[a]: must be a string, not a number (1); put it in quotes"),
    .text(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: [a]}\n",
      "web.yaml:3: Pod/shop/a: metadata.labels: must be a mapping, not a list"),
    .text("kind: Service\nmetadata: {name: web}\n", "web.yaml:1: Service/web: apiVersion: is required"),
    .text("apiVersion: v1\nmetadata: {name: web}\n", "web.yaml:1: kind: is required"),
    .text(
      "apiVersion: v1\nkind: Servce\nmetadata: {name: web}\n",
      "web.yaml:2: Servce/web: kind: unknown kind 'Servce'; did you mean 'Service'?"),
    .text(
      "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\nmetadata: {name: a}\n",
      "web.yaml:1: EndpointSlice/a: apiVersion: EndpointSlice is read in version discovery.k8s.io/v1, not discovery.k8s.io/v1beta1"
    ),
    .text(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
      "web.yaml:1: Deployment/web: notice: apps/v1 Deployment is not read; skipped"),
    .text(
      "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\n",
      "web.yaml:1: Service/web: notice: serving.knative.dev/v1 Service is not read; skipped"),
    .text("- a\n- b\n", "web.yaml:1: an object must be a mapping, not a list"),
    .pool(
      "  addresses:\n  - 10.101.0.60-10.101.0.50\n",
      "web.yaml:6: IPAddressPool/lab: spec.addresses[0]: the range is reversed: 10.101.0.60 is above 10.101.0.50"),
    .pool(
      "  addresses: [10.101.0.500-10.101.0.60]\n",
      "web.yaml:5: IPAddressPool/lab: spec.addresses[0]: '10.101.0.500' is not an IP address"),
    .pool(
      "  addresses: [10.101.0.50]\n",
      "web.yaml:5: IPAddressPool/lab: spec.addresses[0]: a single address is written 10.101.0.50/32"),
    .pool("  addresses: []\n", "web.yaml:5: IPAddressPool/lab: spec.addresses: must list at least one range"),
    .pool(
      "  addresses: [10.0.0.0/24]\n  autoAssign: maybe\n",
      "web.yaml:6: IPAddressPool/lab: spec.autoAssign: must be true or false, not a string ('maybe')"),
  ]

  @Test func `several mistakes of one object are all reported, and other objects of the file are still read`() throws {
    let content = try read(
      Self.header + "  ports: [{port: 0, nodePort: -1}]\n  type2: x\n---\n" + serviceText("other"))
    #expect(
      content.problems.map(\.field) == ["spec.type2", "spec.ports[0].port", "spec.ports[0].nodePort"])
    #expect(content.entries.map(\.object.metadata.name) == ["other"])
    #expect(content.entries.map(\.line) == [10])
    #expect(content.invalid == [ObjectReference(.service, NamespacedName(name: "web"))])
  }

  @Test func `what the API writes gives no warning`() throws {
    #expect(problems(Exports.everything, file: "everything.yaml") == [])
  }

  @Test func `a manifest cannot forge lines or steer a terminal`() {
    let printed = problems("apiVersion: v1\nkind: \"Pod\\nweb.yaml:1: fine\\e[2J\"\nmetadata: {name: a}\n")
    #expect(printed.count == 1)
    #expect(printed.allSatisfy { !$0.unicodeScalars.contains { $0.value < 0x20 } })
  }

  @Test func `an object with very many mistakes is cut short`() throws {
    let fields = (0..<500).map { "  x\($0): 1\n" }.joined()
    let content = try read(Self.header + "  ports: [{port: 80}]\n" + fields)
    #expect(content.problems.count == 50)
    #expect(content.problems.last?.message.contains("left out") == true)
    #expect(content.entries.count == 1)
  }

  @Test("a Service's name may have 63 characters, and its slices' names more")
  func longNames() {
    let service = String(repeating: "a", count: 63)
    func slice(_ name: String) -> String {
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: \(name)}\n"
    }
    #expect(problems(slice("\(service)-x7k2p")) == [])
    #expect(problems(serviceText(service)) == [])
    #expect(problems(serviceText("\(service)a")).count == 1)
    #expect(problems(slice(String(repeating: "a", count: 254))).count == 1)
  }
}
