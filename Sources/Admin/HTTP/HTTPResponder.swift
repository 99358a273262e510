import Synchronization

/// Answers one request, once, from any thread and at any time.
///
/// The client waits until then. One that is let go unused answers 500; what comes after the first answer, after the
/// client has gone or after the server has stopped is dropped.
public final class HTTPResponder: Sendable {
  private let deliver: Mutex<(@Sendable (HTTPResponse) -> Void)?>

  init(_ deliver: @escaping @Sendable (HTTPResponse) -> Void) { self.deliver = Mutex(deliver) }

  /// Any thread may call this.
  public func respond(_ response: HTTPResponse) {
    let deliver = deliver.withLock { deliver in
      defer { deliver = nil }
      return deliver
    }
    deliver?(response)
  }

  deinit { respond(.text("no answer", status: 500)) }
}
