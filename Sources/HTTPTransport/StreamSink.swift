/// Hands the head to one waiting task, then the body to a channel.
final class StreamSink: ResponseSink {
  typealias Waiter = CheckedContinuation<Result<HTTPStream, HTTPTransportError>, Never>

  private var waiter: Waiter?
  private let channel: BodyChannel

  init(_ waiter: Waiter, _ channel: BodyChannel) {
    self.waiter = waiter
    self.channel = channel
  }

  var isStream: Bool { true }

  func head(_ head: HTTPHead) {
    waiter.take()?.resume(returning: .success(HTTPStream(head: head, body: channel.makeBody())))
  }

  func body(_ bytes: UnsafeRawBufferPointer) -> Acceptance { unsafe channel.offer(bytes) ? .taken : .pause }

  func end(_ error: HTTPTransportError?) {
    channel.finish(error)
    waiter.take()?.resume(returning: .failure(error ?? .transfer(code: 0, reason: "an answer without a head")))
  }
}
