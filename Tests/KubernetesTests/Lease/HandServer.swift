import HTTPTransport
import Synchronization
import TestKit

/// An API server whose every answer the test gives by hand.
final class HandServer: HTTPTransport {
  /// A request that waits for its answer.
  struct Exchange: Sendable {
    let request: HTTPRequest
    let reply: @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void

    var body: String { String(decoding: request.body ?? [], as: UTF8.self) }

    func answer(_ status: Int, _ body: String) {
      reply(.success(HTTPResponse(head: HTTPHead(status: status), body: Array(body.utf8))))
    }

    /// Answers by a Status.
    func refuse(_ code: Int, _ reason: String) {
      answer(code, "{\"kind\":\"Status\",\"reason\":\"\(reason)\",\"message\":\"said no\"}")
    }
  }

  /// A watch that is open.
  struct Watch: Sendable {
    let request: HTTPRequest
    let lines: AsyncStream<[UInt8]>.Continuation

    func tell(_ type: String, _ object: String) {
      // In two parts, as TCP may bring them.
      let line = Array("{\"type\":\"\(type)\",\"object\":\(object)}\n".utf8)
      lines.yield(Array(line[..<10]))
      lines.yield(Array(line[10...]))
    }
  }

  private struct State {
    var last = 0
    var exchanges: [(number: Int, exchange: Exchange)] = []
    var waiting: [Int: CheckedContinuation<Result<HTTPResponse, HTTPTransportError>, Never>] = [:]
    var watches: [Watch] = []
    var given = 0
  }

  private let state = Mutex(State())

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    let number = state.withLock { state in
      state.last += 1
      return state.last
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let exchange = Exchange(request: request) { self.end(number, $0) }
        state.withLock { state in
          state.waiting[number] = continuation
          state.exchanges.append((number, exchange))
        }
        if Task.isCancelled { end(number, .failure(.cancelled)) }
      }
    } onCancel: {
      end(number, .failure(.cancelled))
    }
    return try result.get()
  }

  private func end(_ number: Int, _ result: Result<HTTPResponse, HTTPTransportError>) {
    state.withLock { state in
      state.exchanges.removeAll { $0.number == number }
      return state.waiting.removeValue(forKey: number)
    }?.resume(returning: result)
  }

  func stream(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPStream {
    let (lines, send) = AsyncStream<[UInt8]>.makeStream()
    state.withLock { $0.watches.append(Watch(request: request, lines: send)) }
    return HTTPStream(
      head: HTTPHead(status: 200),
      body: HTTPBody {
        // All iterators take from one queue.
        var iterator = lines.makeAsyncIterator()
        return await iterator.next()
      })
  }

  /// The next request, which must be of that kind.
  func next(_ method: String) async throws -> Exchange {
    let exchange = try await soon("a request") { state.withLock { $0.exchanges.first?.exchange } }
    guard exchange.request.method == method else { throw TestFailure("\(exchange.request.method), not \(method)") }
    return exchange
  }

  /// The next watch that is opened.
  func nextWatch() async throws -> Watch {
    try await soon("a watch") {
      state.withLock { state in
        guard state.given < state.watches.count else { return nil }
        state.given += 1
        return state.watches[state.given - 1]
      }
    }
  }

  /// Whether nothing is asked for at the moment.
  var isIdle: Bool { state.withLock { $0.exchanges.isEmpty } }
}
