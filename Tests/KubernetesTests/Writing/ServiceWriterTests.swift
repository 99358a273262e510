import HTTPTransport
import Synchronization
import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(1)))
struct ServiceWriterTests {
  private let web = NamespacedName(name: "web")

  @Test func `a report is written once, and a stale store does not make it be written again`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    let stale = rig.server.store
    try await rig.write([report(events: [.init(reason: "IPAllocated", message: "m")])])
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    #expect(rig.conditions() == ["roadstead.dev/Announced=True"])
    #expect(rig.pool() == "lab")
    #expect(rig.server.patches.count == 2)
    #expect(rig.server.reasons == ["IPAllocated"])
    try await rig.write([report()], store: stale)
    try await rig.write([report()])
    #expect(rig.server.patches.count == 2)
    // Somebody else's change that does not concern us.
    rig.server.edit("web", ["metadata": ["labels": ["a": "b"]]])
    try await rig.write([report()])
    #expect(rig.server.patches.count == 2)
    try await rig.write([report(isAnnounced: false)], store: stale)
    #expect(rig.server.patches.count == 3)
    #expect(rig.conditions() == ["roadstead.dev/Announced=False"])
    #expect(rig.server.requests.allSatisfy { $0.method != "GET" })
  }

  @Test func `at most four requests run at once`() async throws {
    let rig = WritingRig()
    let names = (0..<50).map { "s\($0)" }
    for name in names { rig.server.edit(name, .map([:])) }
    rig.server.hold()
    await rig.writer.write(names.map { report($0) }, store: rig.server.store)
    try await rig.until { rig.server.requests.count == 4 }
    rig.server.release()
    try await rig.settle()
    #expect(rig.server.mostRunning <= 4)
    for name in names { #expect(rig.ingress(name) == ["10.101.0.50/Proxy"]) }
    #expect(await rig.writer.status.pending == 0)
  }

  @Test func `a conflict is solved with the newest version`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    let old = rig.server.store
    rig.server.edit("web", ["status": ["conditions": .list([["type": "a/B", "status": "True"]])]])
    try await rig.write([report()], store: old)
    try await rig.advance(0.1)
    #expect(rig.conditions() == ["a/B=True", "roadstead.dev/Announced=True"])
    #expect(rig.server.requests.map(\.method) == ["PATCH", "GET", "PATCH", "PATCH"])
  }

  @Test func `conflicts without an end are not tried without an end`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    rig.server.script { $0.method == "PATCH" ? WritingServer.status(409, "Conflict") : nil }
    try await rig.write([report()])
    for delay in [0.1, 0.2, 0.4, 0.8, 1.6] { try await rig.advance(delay) }
    #expect(rig.server.patches.count == 6)
    try await rig.advance(10)
    #expect(rig.server.patches.count == 6)
    #expect(rig.lines == ["Service/default/web: changes too fast to write its status: 409 Conflict: no"])
    rig.server.script { _ in nil }
    try await rig.advance(20)
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
  }

  @Test func `a Service that is gone is forgotten, and another of its name is not meant`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    let old = rig.server.store
    rig.server.delete("web")
    try await rig.write([report()], store: old)
    #expect(rig.server.requests.count == 1)
    #expect(await rig.writer.status.pending == 0)
    rig.server.edit("web", ["metadata": ["uid": "another"]])
    try await rig.write([report()], store: old)
    try await rig.advance(100)
    #expect(rig.ingress() == [])
    #expect(await rig.writer.status.pending == 0)
    try await rig.write([report()])
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
  }

  @Test func `a denial is one line with what is missing`() async throws {
    let rig = WritingRig()
    for name in ["web", "shop"] { rig.server.edit(name, .map([:])) }
    rig.server.script { $0.path.hasSuffix("/status") ? WritingServer.status(403, "Forbidden") : nil }
    try await rig.write([report(), report("shop")])
    #expect(rig.lines == ["statuses cannot be written: 403 Forbidden: no (RBAC: patch services/status)"])
    #expect(rig.server.requests.count == 2)
    try await rig.write([report(), report("shop")])
    #expect(rig.server.requests.count == 2)
    rig.server.script { _ in nil }
    try await rig.advance(60)
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    #expect(rig.lines.count == 1)
  }

  @Test func `annotations that are denied do not keep the status from being written`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    rig.server.script { $0.path.hasSuffix("/services/web") ? WritingServer.status(403, "Forbidden") : nil }
    try await rig.write([report()])
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    #expect(rig.pool() == nil)
    #expect(rig.lines == ["the pool's annotation cannot be written: 403 Forbidden: no (RBAC: patch services)"])
    #expect(await rig.writer.status.pending == 0)
  }

  @Test func `what is refused is not sent again until it is something else`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    rig.server.script { _ in WritingServer.status(422, "Invalid", "no good") }
    for _ in 0..<3 { try await rig.write([report()]) }
    #expect(rig.server.requests.count == 1)
    #expect(rig.lines == ["Service/default/web: its status was refused: 422 Invalid: no good"])
    rig.server.script { _ in nil }
    try await rig.write([report(isAnnounced: false)])
    #expect(rig.conditions() == ["roadstead.dev/Announced=False"])
  }

  @Test func `after an outage only the newest is written`() async throws {
    let rig = WritingRig()
    for name in ["web", "shop"] { rig.server.edit(name, .map([:])) }
    rig.server.script { _ in HTTPResponse(head: HTTPHead(status: 0), body: []) }
    try await rig.write([report(), report("shop")])
    #expect(rig.lines == ["statuses wait to be written: connection refused"])
    var tries = rig.server.requests.count
    #expect(tries == 2)
    for number in 51...59 { try await rig.write([report("web", ["10.101.0.\(number)"]), report("shop")]) }
    // 1, 2, 4, 8, 16, 30 and 30 seconds.
    for delay in [1.0, 2, 4, 8, 16, 30, 30] {
      try await rig.advance(delay)
      #expect(rig.server.requests.count <= tries + 2)
      #expect(rig.server.requests.count > tries)
      tries = rig.server.requests.count
    }
    rig.server.script { _ in nil }
    try await rig.advance(30)
    #expect(rig.ingress() == ["10.101.0.59/Proxy"])
    #expect(rig.ingress("shop") == ["10.101.0.50/Proxy"])
    #expect(rig.lines.last == "the API server takes writes again")
    #expect(rig.lines.count == 2)
    #expect(rig.server.requests.count == tries + 4)
  }

  @Test func `Retry-After is heeded`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    rig.server.script { _ in
      HTTPResponse(head: HTTPHead(status: 429, headers: [.init("Retry-After", "7")]), body: [])
    }
    try await rig.write([report()])
    try await rig.advance(6.8)
    #expect(rig.server.requests.count == 1)
    try await rig.advance(0.3)
    #expect(rig.server.requests.count == 2)
  }

  @Test func `a stand-by writes nothing, and all of it once it is none`() async throws {
    let rig = WritingRig(isPaused: true)
    rig.server.edit("web", .map([:]))
    try await rig.write([report(events: [.init(reason: "R", message: "m")])])
    #expect(rig.server.requests == [])
    await rig.writer.resume()
    try await rig.settle()
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    await rig.writer.pause()
    try await rig.write([report("web", ["10.101.0.51"])])
    try await rig.advance(1000)
    #expect(rig.ingress() == ["10.101.0.50/Proxy"])
    // The next holder writes something else: no fight when this one is back.
    rig.server.edit("web", ingress("10.101.0.55", mode: "Proxy"))
    try await rig.write([report("web", ["10.101.0.51"])])
    await rig.writer.resume()
    try await rig.settle()
    #expect(rig.ingress() == ["10.101.0.51/Proxy"])
    #expect(rig.server.reasons == [])
  }

  @Test func `an answer that comes after the pause is followed by nothing`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    rig.server.hold()
    await rig.writer.write([report()], store: rig.server.store)
    try await rig.until { rig.server.requests.count == 1 }
    await rig.writer.pause()
    rig.server.release()
    try await rig.settle()
    #expect(rig.server.requests.count == 1)
  }

  @Test func `flush waits until all is written`() async throws {
    let rig = WritingRig()
    rig.server.edit("web", .map([:]))
    rig.server.hold()
    await rig.writer.write([report()], store: rig.server.store)
    await rig.writer.write([report("web", ["10.101.0.51"])], store: rig.server.store)
    async let isDone = rig.writer.flush(within: 5)
    try await rig.until { rig.clock.sleeperCount > 0 }
    rig.server.release()
    let stop = Mutex(false)
    async let ticking: Void = {
      while !stop.withLock({ $0 }) {
        rig.clock.advance(0.02)
        try? await Task.sleep(for: .milliseconds(1))
      }
    }()
    #expect(await isDone)
    stop.withLock { $0 = true }
    await ticking
    #expect(rig.ingress() == ["10.101.0.51/Proxy"])
  }
}
