import EventLoop

/// The way back from a responder, on any thread, to a server that may be gone.
@safe final class HTTPServerLink: @unchecked Sendable {
  private let loop: EventLoop
  // Loop only.
  weak var server: HTTPServer?

  init(_ loop: EventLoop) { self.loop = loop }

  func deliver(_ response: HTTPResponse, to id: UInt64) {
    if loop.isCurrent {
      server?.complete(id, response)
    } else {
      loop.submit { self.server?.complete(id, response) }
    }
  }
}
