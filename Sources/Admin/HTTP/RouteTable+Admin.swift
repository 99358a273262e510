extension RouteTable {
  /// The admin port's routes: `/healthz`, `/readyz` and `/api/v1/state`.
  ///
  /// - Parameters:
  ///   - readiness: Called on the server's loop; answers at once.
  ///   - state: Called on the server's loop; calls its argument, once, from any thread.
  public static func admin(
    readiness: @escaping @Sendable () -> AdminState.Readiness,
    state: @escaping @Sendable (@escaping @Sendable (AdminState) -> Void) -> Void
  ) -> RouteTable {
    var routes = RouteTable()
    routes.route("/healthz") { _, responder in responder.respond(.text("ok")) }
    routes.route("/readyz") { _, responder in
      let readiness = readiness()
      responder.respond(readiness.isReady ? .text("ok") : .text(readiness.reason ?? "not ready", status: 503))
    }
    routes.route("/api/v1/state") { _, responder in
      state { responder.respond(.json($0.json())) }
    }
    return routes
  }
}
