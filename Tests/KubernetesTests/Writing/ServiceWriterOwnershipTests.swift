import Testing

@testable import Kubernetes

/// Whose a Service is: cleaning, other classes, other load balancers, old API servers.
@Suite(.timeLimit(.minutes(1)))
struct ServiceWriterOwnershipTests {
  @Test func `a Service that is no longer reported is cleaned`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", ["status": ["conditions": .list([["type": "a/B", "status": "True"]])]])
    try await rig.write([report()])
    try await rig.write([])
    #expect(rig.ingress() == [])
    #expect(rig.conditions() == ["a/B=True"])
    #expect(rig.pool() == nil)
    let count = rig.server.requests.count
    try await rig.write([])
    #expect(rig.server.requests.count == count)
  }

  @Test func `so is one that became a ClusterIP, even if an earlier process wrote it`() async throws {
    let first = WritingRig()
    first.server.edit("web", .map([:]))
    try await first.write([report()])
    let second = WritingRig()
    second.server.edit("web", first.server.object("web").merged(["spec": ["type": "ClusterIP"]]))
    try await second.write([report()])
    #expect(second.ingress() == [])
    #expect(second.conditions() == [])
    #expect(second.pool() == nil)
  }

  @Test func `a Service of another class is never touched, whatever it says`() async throws {
    let rig = WritingRig(loadBalancerClass: "a.example/lb")
    rig.server.edit("web", ["spec": ["loadBalancerClass": "b.example/lb"]])
    rig.server.edit("old", ["metadata": ["annotations": [Service.poolAnnotation: "x"]]])
    rig.server.edit("web", ingress("10.9.9.9", mode: "Proxy"))
    rig.server.edit(
      "web", ["status": ["conditions": .list([["type": "roadstead.dev/Announced", "status": "True"]])]])
    try await rig.write([report()])
    try await rig.write([])
    #expect(rig.server.requests == [])
  }

  @Test func `one that leaves our class loses what this process wrote`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    try await rig.write([report()])
    rig.server.edit("web", ["spec": ["loadBalancerClass": "other"]])
    try await rig.write([])
    #expect(rig.ingress() == [])
    #expect(rig.conditions() == [])
  }

  @Test func `what MetalLB wrote is taken over where the address is the same`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", ["metadata": ["annotations": [Service.poolAnnotation: "lab"]]])
    rig.server.edit("web", ingress("10.101.0.50"))
    try await rig.write([report()])
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    #expect(rig.server.reasons == [])
  }

  @Test func `and kept, with an event, where it is another`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", ["metadata": ["annotations": [Service.poolAnnotation: "theirs"]]])
    rig.server.edit("web", ingress("10.0.0.1"))
    for _ in 0..<3 { try await rig.write([report()]) }
    #expect(rig.ingress() == ["10.0.0.1/VIP"])
    #expect(rig.server.reasons == ["AnotherLoadBalancer"])
    #expect(rig.server.patches == [])
    rig.server.edit("web", ["metadata": ["annotations": [Service.poolAnnotation: .null]]])
    try await rig.write([report()])
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
  }

  @Test func `another that writes too is given way after two rewrites, for ten minutes`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    try await rig.write([report()])
    for _ in 0..<2 {
      rig.server.edit("web", ingress("10.101.0.50"), manager: "metallb-controller")
      try await rig.write([report()])
      #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    }
    rig.server.edit("web", ingress("10.0.0.1"), manager: "metallb-controller")
    let count = rig.server.patches.count
    try await rig.write([report()])
    #expect(rig.ingress() == ["10.0.0.1/VIP"])
    #expect(rig.server.reasons == ["AnotherLoadBalancer"])
    #expect(
      rig.lines == [
        "Service/default/web: metallb-controller keeps changing this Service's addresses: "
          + "roadstead leaves them alone for 10 minutes"
      ])
    #expect(await rig.writer.status.contested == [NamespacedName(name: "web")])
    for _ in 0..<5 {
      rig.server.edit("web", ["metadata": ["labels": ["n": .string("\(rig.clock.now)")]]])
      try await rig.write([report(isAnnounced: false)])
      try await rig.advance(100)
    }
    #expect(rig.server.patches.count == count)
    try await rig.advance(100)
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    #expect(await rig.writer.status.contested == [])
  }

  @Test func `rare changes by others are put right each time`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    try await rig.write([report()])
    for _ in 0..<6 {
      try await rig.advance(200)
      rig.server.edit("web", ingress("10.0.0.1"))
      try await rig.write([report()])
      #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    }
    #expect(rig.server.reasons == [])
  }

  @Test func `a new address of our own is no fight`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    for number in 50..<60 {
      try await rig.write([report("web", ["10.101.0.\(number)"])])
      #expect(rig.ingress() == ["10.101.0.\(number)/Proxy"])
    }
    #expect(rig.server.reasons == [])
  }

  @Test func `an API server that drops ipMode is told of once a Service, and not asked again`() async throws {
    let rig = WritingRig()
    rig.server.dropMode()
    for name in ["web", "shop"] { rig.server.edit(name, .map([:])) }
    for _ in 0..<3 { try await rig.write([report(), report("shop")]) }
    #expect(rig.ingress() == ["10.101.0.50/-"])
    #expect(rig.server.reasons == ["ProxyModeUnsupported", "ProxyModeUnsupported"])
    #expect(rig.server.patches.count == 4)
    #expect(rig.lines.count == 1)
    try await rig.write([])
    #expect(rig.ingress() == [])
  }
}
