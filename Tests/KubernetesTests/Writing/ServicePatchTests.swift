import Addresses
import Testing

@testable import Kubernetes

struct ServicePatchTests {
  private static let then = "2026-01-01T00:00:00Z"
  private static let now = "2026-02-02T00:00:00Z"
  private static let address = IPAddress("10.101.0.50")!

  private func service(
    _ ingress: [Service.Ingress] = [], _ conditions: [Service.Condition] = [], pool: String? = nil
  ) -> Service {
    Service(
      metadata: ObjectMeta(
        name: "web", annotations: pool.map { [Service.poolAnnotation: $0] } ?? [:], uid: "u", resourceVersion: "7"),
      spec: Service.Spec(type: .loadBalancer), status: Service.Status(ingress: ingress, conditions: conditions))
  }

  private var written: Service {
    service(
      [.init(ip: Self.address, ipMode: "Proxy", ports: [.init(port: 80, protocol: "TCP")])],
      [
        .init(
          type: "roadstead.dev/Announced", status: "True", reason: "Announced", message: "it is so",
          lastTransitionTime: Self.then)
      ], pool: "lab")
  }

  private func patch(_ report: ServiceReport, _ service: Service) -> ServicePatch {
    ServicePatch(report, on: service, now: Self.now)
  }

  private func parsed(_ value: JSONValue?) throws -> String {
    let value = try #require(value)
    let documents = try JSONText.documents(value.bytes)
    #expect(documents.count == 1)
    #expect(JSONValue(documents[0]) == value)
    return String(decoding: value.bytes, as: UTF8.self)
  }

  @Test func `a new Service gets its whole status and its pool`() throws {
    let patch = patch(report(), service())
    #expect(
      try parsed(patch.status)
        == #"{"metadata":{"resourceVersion":"7","uid":"u"},"status":{"conditions":[{"lastTransitionTime":""#
        + #"2026-02-02T00:00:00Z","message":"it is so","reason":"Announced","status":"True","type":"#
        + #""roadstead.dev/Announced"}],"loadBalancer":{"ingress":[{"ip":"10.101.0.50","ipMode":"Proxy","#
        + #""ports":[{"port":80,"protocol":"TCP"}]}]}}}"#)
    #expect(
      try parsed(patch.annotations)
        == #"{"metadata":{"annotations":{"metallb.io/ip-allocated-from-pool":"lab"},"uid":"u"}}"#)
  }

  @Test func `nothing is sent where nothing differs`() { #expect(patch(report(), written).isEmpty) }

  @Test func `only the part that differs is sent`() throws {
    var wanted = report()
    wanted.ports[0].error = "AddressInUse"
    var one = patch(wanted, written)
    #expect(one.status?["status"]?["conditions"] == nil)
    #expect(try parsed(one.status).contains(#""ports":[{"error":"AddressInUse","port":80,"protocol":"TCP"}]"#))
    #expect(one.annotations == nil)

    wanted = report()
    wanted.conditions[0].message = #"a "quoted" \ line"# + "\n\u{1}é"
    one = patch(wanted, written)
    #expect(one.status?["status"]?["loadBalancer"] == nil)
    let text = try parsed(one.status)
    #expect(text.contains(#"a \"quoted\" \\ line\u000a\u0001é"#))
    #expect(text.contains(Self.then), "the condition's status is the same, so its time is")

    one = patch(report(isAnnounced: false), written)
    #expect(try parsed(one.status).contains(Self.now))

    one = patch(report(pool: "other"), written)
    #expect(one.status == nil)
    #expect(one.annotations != nil)

    one = patch(report(pool: nil), written)
    #expect(one.status == nil)
    #expect(one.annotations?["metadata"]?["annotations"]?[Service.poolAnnotation] == .null)

    one = patch(report("web", [], pool: nil), written)
    #expect(one.status?["status"]?["loadBalancer"] == ["ingress": .null])
    #expect(one.annotations != nil)
  }

  @Test func `others' conditions stay word for word and in place, ours that are no longer wanted go`() throws {
    let theirs = Service.Condition(
      type: "example.com/Ready", status: "Perhaps", reason: "R", message: "m", lastTransitionTime: Self.then,
      observedGeneration: 3)
    let old = Service.Condition(type: "roadstead.dev/Old", status: "True")
    let patch = patch(report(), service([], [old, theirs]))
    guard case .list(let sent)? = patch.status?["status"]?["conditions"] else { throw Failure() }
    #expect(sent.map { $0["type"]?.text } == ["example.com/Ready", "roadstead.dev/Announced"])
    #expect(
      sent[0] == [
        "type": "example.com/Ready", "status": "Perhaps", "reason": "R", "message": "m",
        "lastTransitionTime": .string(Self.then), "observedGeneration": .integer(3),
      ])
  }

  private struct Failure: Error {}

  @Test func `an address of MetalLB is kept where we have another, and taken over where it is the same`() {
    let metallb = service([.init(ip: IPAddress("10.0.0.1"), ipMode: "VIP")], pool: "theirs")
    #expect(patch(report(), metallb).isEmpty)
    #expect(patch(report("web", [], pool: nil), metallb).isEmpty)
    let same = patch(report("web", ["10.0.0.1"]), metallb)
    #expect(same.ingress?.map(\.ipMode) == ["Proxy"])
    #expect(same.annotations != nil)
  }

  @Test func `without an address of ours another's stays`() {
    let other = service([.init(ip: IPAddress("10.0.0.1"), ipMode: "VIP"), .init(hostname: "lb.example.com")])
    let patch = patch(report("web", [], pool: nil), other)
    #expect(patch.ingress == nil)
    #expect(patch.status?["status"]?["conditions"] != nil)
    #expect(patch.annotations == nil)
  }

  @Test func `a server that drops ipMode is not asked again`() {
    var old = written
    old.status.ingress[0].ipMode = nil
    #expect(patch(report(), old).ingress != nil)
    let memory = ServicePatch.Memory(addresses: [Self.address], hasWritten: true, serverDropsMode: true)
    #expect(ServicePatch(report(), on: old, memory: memory, now: Self.now).isEmpty)
    // Once it knows the field it says VIP.
    old.status.ingress[0].ipMode = "VIP"
    #expect(ServicePatch(report(), on: old, memory: memory, now: Self.now).ingress != nil)
  }

  @Test func `cleaning takes what is ours and nothing else`() throws {
    let patch = ServicePatch(cleaning: written)
    #expect(
      try parsed(patch.status)
        == #"{"metadata":{"resourceVersion":"7","uid":"u"},"#
        + #""status":{"conditions":null,"loadBalancer":{"ingress":null}}}"#)
    #expect(
      try parsed(patch.annotations)
        == #"{"metadata":{"annotations":{"metallb.io/ip-allocated-from-pool":null},"uid":"u"}}"#)

    var shared = written
    shared.status.ingress.append(.init(ip: IPAddress("10.0.0.1"), ipMode: "VIP"))
    shared.status.conditions.append(.init(type: "example.com/Ready", status: "True"))
    let partly = ServicePatch(cleaning: shared)
    #expect(partly.ingress?.map(\.ip) == [IPAddress("10.0.0.1")])
    #expect(partly.annotations == nil, "it may be the other's")

    #expect(ServicePatch(cleaning: service([.init(ip: Self.address, ipMode: "VIP")], pool: "theirs")).isEmpty)
    #expect(ServicePatch(cleaning: service()).isEmpty)
  }

  /// Every combination of what a Service may say and what may be wanted: once applied, nothing differs.
  @Test func `a patch applied leaves nothing to patch`() throws {
    let ingresses: [JSONValue] = [
      .map([:]), ingress("10.101.0.50"), ingress("10.101.0.50", mode: "Proxy"), ingress("10.0.0.9", mode: "VIP"),
      ["status": ["loadBalancer": ["ingress": .list([["hostname": "x"]])]]],
    ]
    let conditions: [JSONValue] = [
      .map([:]), ["status": ["conditions": .list([["type": "a/B", "status": "True"]])]],
      ["status": ["conditions": .list([["type": "roadstead.dev/Announced", "status": "True"]])]],
    ]
    let annotations: [JSONValue] = [
      .map([:]), ["metadata": ["annotations": [Service.poolAnnotation: "lab"]]],
      ["metadata": ["annotations": [Service.poolAnnotation: "x", "other": "y"]]],
    ]
    let reports: [ServiceReport?] = [
      report(), report("web", [], pool: nil), report("web", ["10.101.0.50", "fd00::1"]), report(isAnnounced: false),
      nil,
    ]
    var count = 0
    for ingress in ingresses {
      for condition in conditions {
        for annotation in annotations {
          for report in reports {
            let server = WritingServer()
            server.edit("web", ingress.merged(condition).merged(annotation))
            let before = try #require(server.store.services.values.first?.object)
            let patch = report.map { self.patch($0, before) } ?? ServicePatch(cleaning: before)
            if let body = patch.status { server.edit("web", ["status": body["status"] ?? .null]) }
            if let body = patch.annotations, case .map(var metadata)? = body["metadata"] {
              metadata["uid"] = nil
              server.edit("web", ["metadata": .map(metadata)])
            }
            let after = try #require(server.store.services.values.first?.object)
            let again = report.map { self.patch($0, after) } ?? ServicePatch(cleaning: after)
            #expect(again.isEmpty, "\(before) \(String(describing: report)) \(again)")
            count += 1
          }
        }
      }
    }
    #expect(count == 225)
  }

  @Test func `long messages are cut at a character`() {
    #expect("abc".truncated(toBytes: 3) == "abc")
    #expect("äöüß".truncated(toBytes: 7) == "äö…")
    #expect(String(repeating: "é", count: 2000).truncated(toBytes: 1024).utf8.count <= 1024)
  }
}
