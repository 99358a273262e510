import HTTPTransport
import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(1)))
struct EventWriterTests {
  private func service(_ name: String = "web") -> Service {
    Service(
      metadata: ObjectMeta(name: name, uid: "uid-\(name)", resourceVersion: "7"),
      spec: Service.Spec(type: .loadBalancer))
  }

  @Test func `an event has all that kubectl describe needs`() async throws {
    let rig = WritingRig()
    await rig.events.post(.init(isWarning: true, reason: "AllocationFailed", message: "no \"IP\""), about: service())
    try await rig.settle()
    let event = try #require(rig.server.events.first)
    #expect(rig.server.requests.map(\.path) == ["/api/v1/namespaces/default/events"])
    #expect(event["metadata"]?["namespace"] == "default")
    #expect(event["metadata"]?["name"]?.text?.hasPrefix("web.18") == true)
    #expect(
      event["involvedObject"] == [
        "apiVersion": "v1", "kind": "Service", "namespace": "default", "name": "web", "uid": "uid-web",
        "resourceVersion": "7",
      ])
    #expect(event["type"] == "Warning")
    #expect(event["reason"] == "AllocationFailed")
    #expect(event["message"] == #"no "IP""#)
    #expect(event["source"] == ["component": "roadstead"])
    #expect(event["reportingComponent"] == "roadstead")
    #expect(event["reportingInstance"] == "node-1")
    #expect(event["firstTimestamp"] == "2026-01-01T00:00:00Z")
    #expect(event["count"] == .integer(1))
  }

  @Test func `the same again is counted for ten minutes, and then a new event`() async throws {
    let rig = WritingRig()
    let event = ServiceReport.Event(reason: "nodeAssigned", message: "m")
    for seconds in [0.0, 30, 60] {
      rig.clock.advance(seconds)
      await rig.events.post(event, about: service())
      try await rig.settle()
    }
    #expect(rig.server.requests.map(\.method) == ["POST", "PATCH", "PATCH"])
    #expect(rig.server.events.map { $0["count"] } == [.integer(3)])
    #expect(rig.server.events[0]["lastTimestamp"] == "2026-01-01T00:01:30Z")
    #expect(rig.server.events[0]["firstTimestamp"] == "2026-01-01T00:00:00Z")
    rig.clock.advance(601)
    await rig.events.post(event, about: service())
    try await rig.settle()
    #expect(rig.server.events.count == 2)
    // The server has forgotten it: made anew.
    rig.server.forgetEvents()
    await rig.events.post(event, about: service())
    try await rig.settle()
    #expect(rig.server.events.map { $0["count"] } == [.integer(2)])
  }

  @Test func `what happens again while the first is on its way is not lost`() async throws {
    let rig = WritingRig()
    let event = ServiceReport.Event(reason: "R", message: "m")
    rig.server.hold()
    await rig.events.post(event, about: service())
    try await rig.until { rig.server.requests.count == 1 }
    for _ in 0..<3 { await rig.events.post(event, about: service()) }
    rig.server.release()
    try await rig.settle()
    #expect(rig.server.requests.map(\.method) == ["POST", "PATCH"])
    #expect(rig.server.events[0]["count"] == .integer(4))
  }

  @Test func `one object gets 25 at once and one more every five minutes`() async throws {
    let rig = WritingRig()
    for index in 0..<40 {
      await rig.events.post(.init(reason: "R", message: "\(index)"), about: service())
    }
    await rig.events.post(.init(reason: "R", message: "another"), about: service("other"))
    try await rig.settle()
    #expect(rig.server.events.count == 26)
    #expect(await rig.events.counts.filtered == 15)
    rig.clock.advance(300)
    for index in 50..<53 { await rig.events.post(.init(reason: "R", message: "\(index)"), about: service()) }
    try await rig.settle()
    #expect(rig.server.events.count == 27)
  }

  @Test func `the queue is bounded, and the oldest go`() async throws {
    let rig = WritingRig()
    rig.server.hold()
    for index in 0..<1100 { await rig.events.post(.init(reason: "R", message: "m"), about: service("s\(index)")) }
    try await rig.until { rig.server.requests.count == 1 }
    rig.server.release()
    try await rig.settle()
    #expect(await rig.events.counts.dropped == 100)
    #expect(rig.server.events.last?["involvedObject"]?["name"] == "s1099")
    #expect(rig.lines == ["over 1000 events wait to be sent: the oldest are dropped"])
  }

  @Test func `a refusal is one line however often, and nothing is tried again`() async throws {
    let rig = WritingRig()
    rig.server.script { _ in WritingServer.status(403, "Forbidden", "cannot create events") }
    for index in 0..<5 { await rig.events.post(.init(reason: "R", message: "\(index)"), about: service()) }
    try await rig.settle()
    #expect(rig.server.requests.count == 5)
    #expect(await rig.events.counts.dropped == 5)
    #expect(
      rig.lines == [
        "events cannot be written: 403 Forbidden: cannot create events (RBAC: create and patch events)"
      ])
  }

  @Test func `while the server is away events wait, but not for ever`() async throws {
    let rig = WritingRig()
    rig.server.script { _ in HTTPResponse(head: HTTPHead(status: 0), body: []) }
    await rig.events.post(.init(reason: "R", message: "m"), about: service())
    for tries in 1...12 {
      try await rig.until { rig.server.requests.count == tries }
      if tries < 12 { try await rig.until { rig.clock.sleeperCount > 0 } }
      rig.clock.advance(30)
    }
    try await rig.until { await rig.events.isIdle }
    #expect(await rig.events.counts.dropped == 1)
    rig.server.script { _ in nil }
    await rig.events.post(.init(reason: "R", message: "n"), about: service())
    try await rig.settle()
    #expect(rig.server.events.count == 1)
  }

  @Test func `long messages are cut`() async throws {
    let rig = WritingRig()
    await rig.events.post(.init(reason: "R", message: String(repeating: "é", count: 5000)), about: service())
    try await rig.settle()
    #expect(rig.server.events[0]["message"]?.text?.utf8.count ?? .max <= 1024)
  }
}
