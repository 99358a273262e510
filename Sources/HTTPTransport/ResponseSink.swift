/// Where one transfer's answer goes. Loop only.
///
/// `end` comes exactly once and last; after it the transfer is gone.
protocol ResponseSink: AnyObject {
  /// Whether silence is bounded, or the whole time.
  var isStream: Bool { get }
  func head(_ head: HTTPHead)
  func body(_ bytes: UnsafeRawBufferPointer) -> Acceptance
  func end(_ error: HTTPTransportError?)
}

/// What became of bytes offered to a sink.
enum Acceptance {
  case taken
  /// Not taken: libcurl keeps them and offers them again after a resume.
  case pause
  case refused(HTTPTransportError)
}
