import Addresses
import Balancing
import Testing

@testable import Kubernetes

struct ServiceSettingsTests {
  static func service(_ annotations: [String: String], loadBalancerIP: String? = nil) -> Service {
    Service(
      metadata: ObjectMeta(name: "web", annotations: annotations),
      spec: Service.Spec(type: .loadBalancer, loadBalancerIP: loadBalancerIP.flatMap { IPAddress($0) }))
  }

  static func findings(_ annotations: [String: String]) -> [String] {
    ServiceSettings.read(service(annotations)).findings.map { "\($0.severity) \($0.annotation): \($0.message)" }
  }

  @Test func `annotations change what they name and nothing else`() {
    let settings = ServiceSettings(
      Self.service([
        "roadstead.dev/balance": "maglev", "roadstead.dev/target": "node-port",
        "roadstead.dev/connect-timeout": "200ms",
        "roadstead.dev/idle-timeout": "1h30m", "roadstead.dev/half-closed-timeout": "90s",
        "roadstead.dev/udp-idle-timeout": "2m", "metallb.io/loadBalancerIPs": "10.0.0.1, fd00::1",
        "metallb.io/address-pool": "lab", "metallb.io/allow-shared-ip": "key", "example.com/other": "x",
      ]))
    #expect(settings.balance == .maglev)
    #expect(settings.target == .nodePort)
    #expect(settings.timeouts == Timeouts(connect: 0.2, idle: 5400, halfClosed: 90))
    #expect(settings.udpIdleTimeout == 120)
    #expect(settings.requestedAddresses.map(\.description) == ["10.0.0.1", "fd00::1"])
    #expect(settings.addressPool == "lab")
    #expect(settings.sharingKey == "key")
    #expect(ServiceSettings(Self.service([:])) == ServiceSettings())
    #expect(
      ServiceSettings(Self.service([:], loadBalancerIP: "10.0.0.9")).requestedAddresses == [IPAddress("10.0.0.9")!])
  }

  @Test func `what is wrong with an annotation is said by its name`() {
    #expect(
      Self.findings(["roadstead.dev/balance": "round_robin"]) == [
        "error roadstead.dev/balance: must be one of round-robin, least-connections, random-two-choices, maglev, "
          + "not 'round_robin'; did you mean 'round-robin'?"
      ])
    #expect(
      Self.findings(["roadstead.dev/target": "auto"]) == [
        "error roadstead.dev/target: must be one of pod, node-port, not 'auto'"
      ])
    #expect(
      Self.findings(["roadstead.dev/balnace": "x"]) == [
        "warning roadstead.dev/balnace: unknown annotation; did you mean 'balance'?"
      ])
    #expect(
      Self.findings(["roadstead.dev/health-check": "tcp"]) == [
        "warning roadstead.dev/health-check: is not supported by this version and has no effect"
      ])
    #expect(
      Self.findings(["roadstead.dev/idle-timeout": "5"]) == [
        "error roadstead.dev/idle-timeout: must be a duration as 200ms, 5s or 1h30m, not '5'"
      ])
    #expect(
      Self.findings(["roadstead.dev/idle-timeout": "0"]) == [
        "error roadstead.dev/idle-timeout: must be at least 1ms, not '0'"
      ])
    #expect(
      Self.findings(["metallb.io/loadBalancerIPs": "10.0.0.1,10.0.0.2"]) == [
        "error metallb.io/loadBalancerIPs: asks for two addresses of one family: '10.0.0.1,10.0.0.2'"
      ])
    #expect(
      Self.findings(["metallb.io/loadBalancerIPs": "web"]) == [
        "error metallb.io/loadBalancerIPs: must be an IP address, or one of each family with a comma, not 'web'"
      ])
    #expect(
      Self.findings(["metallb.universe.tf/address-pool": "lab"]) == [
        "warning metallb.universe.tf/address-pool: is deprecated; use metallb.io/address-pool"
      ])
    #expect(Self.findings(["metallb.io/ip-allocated-from-pool": "lab"]) == [])
    let both = Self.service(["metallb.io/loadBalancerIPs": "10.0.0.1"], loadBalancerIP: "10.0.0.2")
    #expect(
      ServiceSettings.read(both).findings.map(\.message) == [
        "a Service cannot have both this annotation and spec.loadBalancerIP"
      ])
  }

  @Test func `the newer of MetalLB's names wins`() {
    let settings = ServiceSettings(
      Self.service(["metallb.universe.tf/address-pool": "old", "metallb.io/address-pool": "new"]))
    #expect(settings.addressPool == "new")
    #expect(ServiceSettings(Self.service(["metallb.universe.tf/address-pool": "old"])).addressPool == "old")
  }

  @Test func `a wrong annotation is reported with its line`() {
    let text = """
      apiVersion: v1
      kind: Service
      metadata:
        name: web
        annotations:
          roadstead.dev/balance: best
      spec: {type: LoadBalancer, ports: [{port: 80}]}
      """
    #expect(
      problems(text) == [
        "web.yaml:6: Service/web: metadata.annotations[roadstead.dev/balance]: must be one of round-robin, "
          + "least-connections, random-two-choices, maglev, not 'best'"
      ])
  }

  static let durations: [(String, Double?)] = [
    ("5s", 5), ("1h30m", 5400), ("200ms", 0.2), ("1.5h", 5400), (".5s", 0.5), ("1.s", 1), ("0", 0), ("0s", 0),
    ("100us", 1e-4), ("1µs", 1e-6), ("8760h", 31_536_000), ("", nil), ("5", nil), ("s", nil), (".s", nil), ("-5s", nil),
    ("5 s", nil), ("5S", nil), ("1d", nil), ("8761h", nil), ("1.2.3s", nil), ("5s ", nil), ("1e3s", nil), ("infs", nil),
    (String(repeating: "9", count: 60) + "h", nil), (String(repeating: "1s", count: 40), nil),
  ]

  @Test("durations are Go's", arguments: durations)
  func duration(text: String, seconds: Double?) {
    let parsed = try? DurationText.seconds(text)
    if let seconds {
      #expect(abs((parsed ?? .nan) - seconds) < 1e-9)
    } else {
      #expect(parsed == nil)
    }
  }

  static let suggestions: [(String, String?)] = [
    ("slector", "selector"), ("Selector", "selector"), ("prots", "ports"), ("port", "ports"), ("xyz", nil), ("", nil),
    (String(repeating: "s", count: 100), nil),
  ]

  @Test("the word that was probably meant is found", arguments: suggestions)
  func suggestion(word: String, meant: String?) {
    #expect(Suggestion.closest(to: word, among: ["selector", "ports", "type"]) == meant)
  }

  @Test func `a Service is ours by type and class`() {
    var service = Self.service([:])
    #expect(service.isOurs())
    #expect(!service.isOurs(loadBalancerClass: "roadstead.dev/lb"))
    service.spec.loadBalancerClass = "roadstead.dev/lb"
    #expect(!service.isOurs())
    #expect(service.isOurs(loadBalancerClass: "roadstead.dev/lb"))
    service.spec.type = .nodePort
    #expect(!service.isOurs(loadBalancerClass: "roadstead.dev/lb"))
  }
}
