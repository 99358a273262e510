import Synchronization

/// Bytes on their way from the loop to one reading task. Any thread.
///
/// A slow reader stops the socket, not the loop: from `window` unread bytes on, libcurl is paused until the next
/// ``next()``. No more than the window and one of libcurl's buffers (16 KiB) is held.
final class BodyChannel: Sendable {
  typealias Answer = Result<[UInt8]?, HTTPTransportError>

  private struct State {
    var unread: [UInt8] = []
    var waiter: CheckedContinuation<Answer, Never>?
    var isPaused = false
    var end: Result<Void, HTTPTransportError>?
  }

  private let ticket: TransferTicket
  private let window: Int
  private let state = Mutex(State())

  init(window: Int, ticket: TransferTicket) {
    self.window = window
    self.ticket = ticket
  }

  /// The reader's end: the stream is closed when it is let go.
  func makeBody() -> HTTPBody {
    let lease = Lease(ticket)
    return HTTPBody { () async throws(HTTPTransportError) in
      defer { withExtendedLifetime(lease) {} }
      return try await self.next()
    }
  }

  private final class Lease: Sendable {
    let ticket: TransferTicket
    init(_ ticket: TransferTicket) { self.ticket = ticket }
    deinit { ticket.cancel() }
  }

  /// From the loop. False asks libcurl to keep the bytes and pause.
  func offer(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var waiter: CheckedContinuation<Answer, Never>?
    let isAccepted = state.withLock { state in
      waiter = state.waiter.take()
      if waiter != nil { return true }
      guard state.unread.count < window else {
        state.isPaused = true
        return false
      }
      unsafe state.unread.append(contentsOf: bytes)
      return true
    }
    if let waiter { waiter.resume(returning: .success(unsafe [UInt8](bytes))) }
    return isAccepted
  }

  /// From the loop, once. The reader still gets what was accepted before.
  func finish(_ error: HTTPTransportError?) {
    let waiter = state.withLock { state in
      state.end = error.map { .failure($0) } ?? .success(())
      return state.waiter.take()
    }
    waiter?.resume(returning: error.map { .failure($0) } ?? .success(nil))
  }

  private func next() async throws(HTTPTransportError) -> [UInt8]? {
    if Task.isCancelled {
      ticket.cancel()
      throw .cancelled
    }
    let answer: Answer = await withTaskCancellationHandler {
      await withCheckedContinuation { wait($0) }
    } onCancel: {
      ticket.cancel()
    }
    return try answer.get()
  }

  private func wait(_ waiter: CheckedContinuation<Answer, Never>) {
    var wasPaused = false
    let answer: Answer? = state.withLock { state in
      if !state.unread.isEmpty {
        wasPaused = state.isPaused
        state.isPaused = false
        let bytes = state.unread
        state.unread = []
        return .success(bytes)
      }
      if let end = state.end { return end.map { nil } }
      precondition(state.waiter == nil, "a body has one reader")
      state.waiter = waiter
      return nil
    }
    if wasPaused { ticket.resume() }
    if let answer { waiter.resume(returning: answer) }
  }
}
