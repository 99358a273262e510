import CMicroHTTPD

// What libmicrohttpd calls, within MHD_run or MHD_stop_daemon.
extension HTTPServer {
  func connectionStarted(_ connection: OpaquePointer) {
    hasStarted = true
    incomplete[unsafe cmhd_socket(connection)] = loop.now
  }

  func connectionClosed(_ connection: OpaquePointer) {
    hasClosed = true
    incomplete[unsafe cmhd_socket(connection)] = nil
  }

  /// A head is complete: refuses what will not be read, and keeps the rest for ``answer(_:path:method:)``.
  func headComplete(_ connection: OpaquePointer, path: String, method: String) -> HTTPExchange? {
    incomplete[unsafe cmhd_socket(connection)] = nil
    lastExchange += 1
    let exchange = unsafe HTTPExchange(id: lastExchange, connection: connection)
    let refusal: HTTPResponse? =
      if HTTPRequest.Method(rawValue: method) == nil {
        routes.handler(for: path) == nil
          ? .text("not found", status: 404)
          : HTTPResponse(405, headers: ["Allow": "GET, HEAD"], body: Array("only GET and HEAD are answered\n".utf8))
      } else if unsafe hasBody(connection) {
        .text("a request has no body here", status: 413)
      } else {
        nil
      }
    if let refusal {
      exchange.response = refusal
      guard queue(refusal, on: exchange) == .YES else { return nil }
    }
    return exchange
  }

  /// The whole request is there, or a suspended one goes on.
  func answer(_ exchange: HTTPExchange, path: String, method: String) -> MHD_Result {
    if let response = exchange.response { return queue(response, on: exchange) }
    waiting[exchange.id] = exchange
    if let handler = routes.handler(for: path) {
      let id = exchange.id
      let responder = HTTPResponder { [link] in link.deliver($0, to: id) }
      handler(HTTPRequest(method: HTTPRequest.Method(rawValue: method) ?? .get, path: path), responder)
    } else {
      complete(exchange.id, .text("not found", status: 404))
    }
    if let response = exchange.response { return queue(response, on: exchange) }
    exchange.isSuspended = true
    unsafe MHD_suspend_connection(exchange.connection)
    return .YES
  }

  func completed(_ exchange: HTTPExchange) {
    waiting[exchange.id] = nil
    // Another request may follow; if not, connectionClosed comes next.
    incomplete[unsafe cmhd_socket(exchange.connection)] = loop.now
  }

  private func hasBody(_ connection: OpaquePointer) -> Bool {
    if unsafe MHD_lookup_connection_value(connection, .HEADER_KIND, "Transfer-Encoding") != nil { return true }
    guard let length = unsafe MHD_lookup_connection_value(connection, .HEADER_KIND, "Content-Length") else {
      return false
    }
    return unsafe String(cString: length).contains { $0 != "0" }
  }

  private func queue(_ response: HTTPResponse, on exchange: HTTPExchange) -> MHD_Result {
    var body = response.body
    // Copied, and counted by reference: the response lives until it is sent, the body only through the call.
    let raw = unsafe body.withUnsafeMutableBytes {
      unsafe MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
    }
    guard let raw = unsafe raw else { return .NO }
    defer { unsafe MHD_destroy_response(raw) }
    unsafe MHD_add_response_header(raw, "Content-Type", response.contentType)
    unsafe MHD_add_response_header(raw, "Cache-Control", "no-store")
    for (name, value) in response.headers { unsafe MHD_add_response_header(raw, name, value) }
    return unsafe MHD_queue_response(exchange.connection, UInt32(response.status), raw)
  }
}
