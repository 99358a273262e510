import Testing

@testable import Kubernetes

@Suite(.timeLimit(.minutes(2)))
struct ServiceWriterLoadTests {
  @Test func `5,000 Services are written, and looked at again without a request`() async throws {
    let rig = WritingRig()
    let names = (0..<5000).map { "s\($0)" }
    for name in names { rig.server.edit(name, .map([:])) }
    let reports = names.map { report($0) }
    try await rig.write(reports)
    #expect(rig.server.patches.count == 10_000)
    let store = rig.server.store
    let start = ContinuousClock.now
    for _ in 0..<10 { try await rig.write(reports, store: store) }
    print("a look at 5,000 settled Services: \((ContinuousClock.now - start) / 10)")
    #expect(rig.server.requests.count == 10_000)
    for name in names { #expect(rig.ingress(name) == ["10.101.0.50/Proxy"]) }
  }
}
