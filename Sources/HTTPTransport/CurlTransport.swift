import EventLoop

/// HTTP/1.1 over libcurl, whose sockets and timers live on one ``EventLoop``.
///
/// Any thread and any task may call. Answers are handed to the caller's task: the loop never waits for a reader.
/// HTTP/1.1 because there a reader that stops stops the socket, while libcurl gathers what an HTTP/2 server goes on to
/// send.
///
/// Redirects are not followed. The loop should serve nothing urgent: ending a request whose name is being resolved
/// waits for the resolver. Its thread must block or ignore SIGPIPE, as a ``LoopThread`` does.
public struct CurlTransport: HTTPTransport {
  private let driver: LoopBound<MultiDriver>

  /// Connections end with the last copy of the transport and the last body of a stream.
  public init(loop: EventLoop, options: TransportOptions = TransportOptions()) {
    driver = LoopBound(loop) { MultiDriver(loop: $0, options: options) }
  }

  public func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    let ticket = TransferTicket(driver: driver)
    let result: Result<HTTPResponse, HTTPTransportError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        driver.submit { driver in
          driver.start(request, ticket: ticket, sink: UnarySink(continuation, limit: driver.options.bodyLimit))
        }
      }
    } onCancel: {
      ticket.cancel()
    }
    return try result.get()
  }

  public func stream(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPStream {
    let ticket = TransferTicket(driver: driver)
    let result: Result<HTTPStream, HTTPTransportError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        driver.submit { driver in
          let channel = BodyChannel(window: driver.options.streamWindow, ticket: ticket)
          driver.start(request, ticket: ticket, sink: StreamSink(continuation, channel))
        }
      }
    } onCancel: {
      ticket.cancel()
    }
    return try result.get()
  }
}
