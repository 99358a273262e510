/// Gathers a whole response for one waiting task.
final class UnarySink: ResponseSink {
  typealias Waiter = CheckedContinuation<Result<HTTPResponse, HTTPTransportError>, Never>

  private let waiter: Waiter
  private let limit: Int
  private var head = HTTPHead(status: 0)
  private var bytes: [UInt8] = []

  init(_ waiter: Waiter, limit: Int) {
    self.waiter = waiter
    self.limit = limit
  }

  var isStream: Bool { false }

  func head(_ head: HTTPHead) { self.head = head }

  func body(_ more: UnsafeRawBufferPointer) -> Acceptance {
    guard more.count <= limit - bytes.count else { return .refused(.bodyTooLarge(limit: limit)) }
    unsafe bytes.append(contentsOf: more)
    return .taken
  }

  func end(_ error: HTTPTransportError?) {
    waiter.resume(returning: error.map { .failure($0) } ?? .success(HTTPResponse(head: head, body: bytes)))
  }
}
