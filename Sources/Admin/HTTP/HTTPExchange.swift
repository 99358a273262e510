/// One request on its way; held by libmicrohttpd from its head to its completion, and by the server while it waits.
@safe final class HTTPExchange {
  let id: UInt64
  // Valid until the request's completion.
  let connection: OpaquePointer
  var response: HTTPResponse?
  var isSuspended = false

  init(id: UInt64, connection: OpaquePointer) {
    self.id = id
    unsafe self.connection = connection
  }
}
