import CMicroHTTPD

// File scope on purpose: a closure literal written inside isolated code inherits that isolation. The context is the
// server, which outlives its daemon; a request's state holds its exchange, retained at its head and released here.
let onRequest: MHD_AccessHandlerCallback = { context, connection, url, method, _, _, bodySize, state in
  guard let context = unsafe context, let connection = unsafe connection, let url = unsafe url,
    let method = unsafe method, let state = unsafe state
  else { return .NO }
  return unsafe Unmanaged<HTTPServer>.fromOpaque(context)._withUnsafeGuaranteedRef { server in
    let path = unsafe String(cString: url)
    let method = unsafe String(cString: method)
    guard let current = unsafe state.pointee else {
      guard let exchange = unsafe server.headComplete(connection, path: path, method: method) else { return .NO }
      unsafe state.pointee = Unmanaged.passRetained(exchange).toOpaque()
      return .YES
    }
    if let bodySize = unsafe bodySize, unsafe bodySize.pointee != 0 {
      // Refused already; what still comes is not looked at.
      unsafe bodySize.pointee = 0
      return .YES
    }
    let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(current).takeUnretainedValue()
    return server.answer(exchange, path: path, method: method)
  }
}

let onCompleted: MHD_RequestCompletedCallback = { context, _, state, _ in
  guard let context = unsafe context, let state = unsafe state, let current = unsafe state.pointee else { return }
  unsafe state.pointee = nil
  let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(current).takeRetainedValue()
  unsafe Unmanaged<HTTPServer>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.completed(exchange) }
}

let onConnection: MHD_NotifyConnectionCallback = { context, connection, _, event in
  guard let context = unsafe context, let connection = unsafe connection else { return }
  unsafe Unmanaged<HTTPServer>.fromOpaque(context)._withUnsafeGuaranteedRef { server in
    if event == .CONNECTION_NOTIFY_STARTED {
      unsafe server.connectionStarted(connection)
    } else {
      unsafe server.connectionClosed(connection)
    }
  }
}
