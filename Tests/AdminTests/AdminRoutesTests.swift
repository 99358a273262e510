import Addresses
import Admin
import Synchronization
import TestKit
import Testing

/// The admin port's own routes, asked by its own client.
@Suite struct AdminRoutesTests {
  private func server(_ readiness: AdminState.Readiness, state: AdminState = .example) throws -> RunningServer {
    try RunningServer(
      .admin(
        readiness: { readiness },
        state: { completion in
          // As a controller does: from a thread that is not the server's.
          try? TestThread { completion(state) }.detach()
        }))
  }

  @Test("healthz answers 200 whether ready or not", .timeLimit(.minutes(1)))
  func health() throws {
    #expect(try server(.notReady("draining")).get("/healthz") == .text("ok"))
  }

  @Test("readyz answers 200, or 503 with the reason", .timeLimit(.minutes(1)))
  func readiness() throws {
    #expect(try server(.ready).get("/readyz") == .text("ok"))
    #expect(try server(.notReady("draining")).get("/readyz") == .text("draining", status: 503))
  }

  @Test("the state arrives as it was given, as JSON", .timeLimit(.minutes(1)))
  func state() throws {
    let server = try server(.ready)
    #expect(try server.state() == .example)
    let answer = try server.get("/api/v1/state")
    #expect(answer.contentType == "application/json")
    #expect(answer.body == AdminState.example.json())
  }

  @Test("a client that finds nobody says where it looked, and what to do", .timeLimit(.minutes(1)))
  func nobody() throws {
    let address = try LoopbackBlock().closedPort(1)
    #expect(
      throws: AdminError(
        .unreachable, "no roadstead answers at \(address): Connection refused; is it running with --admin?")
    ) { try AdminClient(.tcp(address)).state() }
    #expect(
      throws: AdminError(
        .unreachable,
        "no roadstead answers at unix:/nonexistent: No such file or directory; is it running with --admin?")
    ) { try AdminClient(.unix("/nonexistent")).state() }
    #expect(throws: AdminError(.address, "the admin address is 'none': there is nobody to ask")) {
      try AdminClient(.none).state()
    }
  }

  @Test("a client gives up on a server that does not answer", .timeLimit(.minutes(1)))
  func silent() throws {
    let responders = Mailbox<HTTPResponder>()
    var routes = RouteTable()
    routes.routeEverythingElse { _, responder in responders.post(responder) }
    let server = try RunningServer(routes)
    #expect(
      throws: AdminError(
        .unreachable, "no roadstead answers at \(server.address): nothing within 1 s; is it running with --admin?")
    ) { try AdminClient(server.address, timeoutSeconds: 1).state() }
  }

  @Test("a client says when something else answers", .timeLimit(.minutes(1)))
  func somethingElse() throws {
    let hello = try RunningServer(.hello)
    #expect(throws: AdminError(.answer, "\(hello.address) answered 404: not found")) { try hello.state() }
    var routes = RouteTable()
    routes.routeEverythingElse { _, responder in responder.respond(.text("pod-1")) }
    let backend = try RunningServer(routes)
    #expect(throws: AdminError(.answer, "the answer is not the state of a roadstead: it is not JSON")) {
      try backend.state()
    }
  }
}
