import TestKit
import Testing

@testable import Kubernetes

/// What a ``LeaseKeeper`` asks of an API server, and makes of its answers.
@Suite(.timeLimit(.minutes(1))) struct LeaseKeeperTests {
  private static let path = "https://10.0.0.1:6443/apis/coordination.k8s.io/v1/namespaces/ns/leases"

  private let server = HandServer()
  private let clock = LeaseTestClock()
  private let keeper: LeaseKeeper

  init() {
    keeper = LeaseKeeper(
      client: APIClient(transport: server, server: "https://10.0.0.1:6443"),
      settings: LeaseSettings(namespace: "ns", name: "roadstead", identity: "me"), clock: clock.lease)
  }

  /// As the API server writes it, with what others wrote.
  private static func lease(_ holder: String, _ version: Int, renewed: String = "1970-01-01T00:00:00.000000Z") -> String
  {
    """
    {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"roadstead","namespace":"ns",\
    "resourceVersion":"\(version)","labels":{"team":"net"}},"spec":{"holderIdentity":"\(holder)",\
    "leaseDurationSeconds":15,"acquireTime":"1970-01-01T00:00:00.000000Z","renewTime":"\(renewed)",\
    "leaseTransitions":3,"strategy":"OldestEmulationVersion"}}
    """
  }

  /// Makes the keeper the holder at second 0.
  private func hold() async throws {
    await keeper.start()
    try await server.next("GET").answer(404, "{}")
    try await server.next("POST").answer(201, Self.lease("me", 8))
    try await status(.holder(since: 0, isVerified: true))
  }

  private func status(_ expected: LeaseStatus) async throws {
    let deadline = Deadline.after(.seconds(10))
    while await keeper.status != expected {
      guard !deadline.hasPassed else { throw TestFailure("\(await keeper.status), not \(expected)") }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  @Test func `a Lease that is not there is created, and renewed each 2 s by its version alone`() async throws {
    await keeper.start()
    let get = try await server.next("GET")
    #expect(get.request.url == "\(Self.path)/roadstead")
    get.refuse(404, "NotFound")
    let create = try await server.next("POST")
    #expect(create.request.url == Self.path)
    #expect(
      create.body == """
        {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"roadstead","namespace":"ns"},"spec":\
        {"holderIdentity":"me","leaseTransitions":0,"leaseDurationSeconds":15,\
        "acquireTime":"1970-01-01T00:00:00.000000Z","renewTime":"1970-01-01T00:00:00.000000Z"}}
        """)
    create.answer(201, Self.lease("me", 8))
    try await status(.holder(since: 0, isVerified: true))
    try await clock.advance(to: 2)
    let patch = try await server.next("PATCH")
    #expect(patch.request.url == "\(Self.path)/roadstead")
    #expect(patch.request.headers.contains(.init("Content-Type", "application/merge-patch+json")))
    #expect(
      patch.body == """
        {"metadata":{"resourceVersion":"8"},"spec":{"holderIdentity":"me","leaseTransitions":3,\
        "leaseDurationSeconds":15,"acquireTime":"1970-01-01T00:00:00.000000Z",\
        "renewTime":"1970-01-01T00:00:02.000000Z"}}
        """)
    patch.answer(200, Self.lease("me", 9))
    try await clock.advance(to: 4)
    #expect(try await server.next("PATCH").body.hasPrefix("{\"metadata\":{\"resourceVersion\":\"9\"}"))
    await keeper.stop()
    var told: [LeaseStatus] = []
    for await status in keeper.statuses { told.append(status) }
    #expect(told == [.standby(holder: nil), .holder(since: 0, isVerified: true)])
  }

  @Test func `a conflict is read anew, and what another holds is not fought for`() async throws {
    try await hold()
    try await clock.advance(to: 2)
    try await server.next("PATCH").refuse(409, "Conflict")
    try await server.next("GET").answer(200, Self.lease("other", 9))
    try await status(.standby(holder: "other"))
    #expect(server.isIdle)
    try await clock.advance(to: 4)
    _ = try await server.next("GET")
    await keeper.stop()
    for await problem in keeper.problems { Issue.record("\(problem ?? "nil")") }
  }

  @Test func `a refusal for lack of rights says what to grant, until it is granted`() async throws {
    await keeper.start()
    try await server.next("GET").refuse(403, "Forbidden")
    var problems = keeper.problems.makeAsyncIterator()
    #expect(
      await problems.next() == """
        the API server does not allow to get the Lease ns/roadstead: a Role in namespace ns must allow get, watch, \
        create and patch of leases in coordination.k8s.io (403 Forbidden: said no)
        """)
    #expect(await keeper.status == .unknown)
    try await clock.advance(to: 2)
    try await server.next("GET").answer(200, Self.lease("", 8))
    // What is read does not help where it cannot be written.
    try await server.next("PATCH").refuse(403, "Forbidden")
    #expect(await problems.next()??.contains("to patch the Lease") == true)
    try await clock.advance(to: 4)
    try await server.next("GET").answer(200, Self.lease("", 8))
    try await server.next("PATCH").answer(200, Self.lease("me", 9))
    #expect(await problems.next() == .some(nil))
    await keeper.stop()
  }

  @Test func `a release by another is seen on the watch, and taken without waiting`() async throws {
    await keeper.start()
    try await server.next("GET").answer(200, Self.lease("other", 7))
    try await status(.standby(holder: "other"))
    let watch = try await server.nextWatch()
    #expect(
      watch.request.url == "\(Self.path)?watch=true&fieldSelector=metadata.name%3Droadstead&timeoutSeconds=300")
    watch.tell("ADDED", Self.lease("other", 7))
    watch.tell("MODIFIED", Self.lease("other", 8, renewed: "1970-01-01T00:00:02.000000Z"))
    watch.tell("MODIFIED", Self.lease("", 9))
    // The clock has not moved.
    try await server.next("GET").answer(200, Self.lease("", 9))
    let patch = try await server.next("PATCH")
    #expect(patch.body.hasPrefix("{\"metadata\":{\"resourceVersion\":\"9\"},\"spec\":{\"holderIdentity\":\"me\""))
    #expect(patch.body.contains("\"leaseTransitions\":4"))
    patch.answer(200, Self.lease("me", 10))
    try await status(.holder(since: 0, isVerified: true))
    await keeper.stop()
  }

  @Test(arguments: [
    ("ERROR", "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}"), ("BOOKMARK", "{}"), ("MODIFIED", "7"),
  ])
  func `a watch that says what is no news is opened anew`(_ type: String, _ object: String) async throws {
    await keeper.start()
    try await server.next("GET").answer(200, Self.lease("other", 7))
    try await status(.standby(holder: "other"))
    try await server.nextWatch().tell(type, object)
    // The next read is due as well.
    try await clock.advance(to: 2, sleepers: 2)
    let watch = try await server.nextWatch()
    try await server.next("GET").answer(200, Self.lease("other", 7))
    watch.tell("DELETED", Self.lease("other", 7))
    try await server.next("GET").refuse(404, "NotFound")
    // Who held it need not know yet.
    try await status(.standby(holder: nil))
    #expect(server.isIdle)
    await keeper.stop()
  }

  @Test func `a server that does not answer costs 5 s a request; the holder stays, unverified after 10`() async throws {
    try await hold()
    try await clock.advance(to: 2)
    _ = try await server.next("PATCH")
    try await clock.advance(to: 7)
    var problems = keeper.problems.makeAsyncIterator()
    #expect(await problems.next() == "cannot patch the Lease ns/roadstead: no answer within 5.0 s")
    try await clock.advance(to: 9)
    _ = try await server.next("GET")
    #expect(await keeper.status == .holder(since: 0, isVerified: true))
    try await clock.advance(to: 10)
    try await status(.holder(since: 0, isVerified: false))
    try await server.next("GET").answer(200, Self.lease("me", 8))
    try await server.next("PATCH").answer(200, Self.lease("me", 9))
    try await status(.holder(since: 0, isVerified: true))
    #expect(await problems.next() == .some(nil))
    await keeper.stop()
  }

  @Test func `a release is written, or given up after a second`() async throws {
    try await hold()
    async let released: Void = keeper.release()
    let patch = try await server.next("PATCH")
    #expect(patch.body.contains("\"holderIdentity\":\"\""))
    #expect(patch.body.contains("\"leaseDurationSeconds\":1,"))
    patch.answer(200, Self.lease("", 9))
    await released
    #expect(await keeper.status == .standby(holder: nil))
    await keeper.stop()

    let other = LeaseKeeperTests()
    try await other.hold()
    async let given: Void = other.keeper.release()
    _ = try await other.server.next("PATCH")
    try await other.clock.advance(to: 1)
    await given
    await other.keeper.stop()
  }

  @Test func `an answer that is no Lease is no belief`() async throws {
    await keeper.start()
    try await server.next("GET").answer(200, "<html>a proxy's page</html>")
    var problems = keeper.problems.makeAsyncIterator()
    #expect(await problems.next() == "cannot get the Lease ns/roadstead: the answer is no Lease")
    #expect(await keeper.status == .unknown)
    await keeper.stop()
  }
}
