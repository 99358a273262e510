import HTTPTransport
import Synchronization

/// Answers requests by a script, and remembers them. What the script has no answer for hangs until it is cancelled.
final class ScriptedTransport: HTTPTransport {
  enum Answer: Sendable {
    case response(HTTPResponse)
    /// A stream of these steps; after the last it hangs.
    case stream([Step])
    case fails(HTTPTransportError)

    static func whole(_ text: String) -> Answer { whole(200, text) }

    static func whole(_ status: Int, headers: [HTTPRequest.Header] = [], _ text: String) -> Answer {
      .response(HTTPResponse(head: HTTPHead(status: status, headers: headers), body: Array(text.utf8)))
    }
  }

  /// What a stream gives to one read.
  enum Step: Sendable {
    case bytes([UInt8])
    case fails(HTTPTransportError)
    case end

    static func text(_ text: String) -> Step { .bytes(Array(text.utf8)) }
  }

  private struct State {
    var script: [Answer]
    var requests: [HTTPRequest] = []
    var reads = 0
    var open = 0
  }

  private let state: Mutex<State>
  private let handler: (@Sendable (HTTPRequest) -> Answer?)?

  /// The answers, in the order of the requests.
  init(_ script: [Answer]) {
    state = Mutex(State(script: script))
    handler = nil
  }

  /// An answer by request; nil hangs.
  init(_ handler: @escaping @Sendable (HTTPRequest) -> Answer?) {
    state = Mutex(State(script: []))
    self.handler = handler
  }

  /// Paths and queries, without the time of a watch, which is by chance.
  var paths: [String] {
    state.withLock { $0.requests.map { String($0.url.dropFirst("http://test".count)).withoutTime } }
  }
  var requests: [HTTPRequest] { state.withLock { $0.requests } }
  /// Reads of all streams.
  var reads: Int { state.withLock { $0.reads } }
  /// Calls that have not returned.
  var open: Int { state.withLock { $0.open } }

  private func answer(_ request: HTTPRequest) -> Answer? {
    state.withLock { state in
      state.requests.append(request)
      if handler == nil { return state.script.isEmpty ? nil : state.script.removeFirst() }
      return nil
    } ?? handler?(request)
  }

  private func counted<T>(
    _ body: () async throws(HTTPTransportError) -> T
  ) async throws(HTTPTransportError) -> T {
    state.withLock { $0.open += 1 }
    defer { state.withLock { $0.open -= 1 } }
    return try await body()
  }

  static func hang() async throws(HTTPTransportError) -> Never {
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    throw .cancelled
  }

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    try await counted { () async throws(HTTPTransportError) in
      switch answer(request) {
      case .response(let response): return response
      case .fails(let error): throw error
      case .stream, nil: try await Self.hang()
      }
    }
  }

  func stream(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPStream {
    try await counted { () async throws(HTTPTransportError) in
      switch answer(request) {
      case .response(let response): return HTTPStream(head: response.head, body: body([.bytes(response.body), .end]))
      case .stream(let steps): return HTTPStream(head: HTTPHead(status: 200), body: body(steps))
      case .fails(let error): throw error
      case nil: try await Self.hang()
      }
    }
  }

  private func body(_ steps: [Step]) -> HTTPBody {
    let position = Counter()
    return HTTPBody { () async throws(HTTPTransportError) -> [UInt8]? in
      try await self.counted { () async throws(HTTPTransportError) in
        self.state.withLock { $0.reads += 1 }
        let index = position.next()
        guard index < steps.count else { try await Self.hang() }
        switch steps[index] {
        case .bytes(let bytes): return bytes
        case .fails(let error): throw error
        case .end: return nil
        }
      }
    }
  }
}

/// Counts from 0.
final class Counter: Sendable {
  private let value = Atomic(0)

  func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}

extension String {
  /// A watch's path without its timeoutSeconds.
  var withoutTime: String {
    guard let range = firstRange(of: "&timeoutSeconds=") else { return self }
    return String(self[..<range.lowerBound])
  }
}
