import HTTPTransport
import Synchronization

@testable import Kubernetes

/// A small API server in memory: Services with versions, merge patches (RFC 7386), 409s, and Events.
final class WritingServer: HTTPTransport {
  struct Request: Hashable {
    var method: String
    /// Without the query.
    var path: String
    var body: JSONValue
  }

  private struct State {
    var services: [String: JSONValue] = [:]
    var events: [String: JSONValue] = [:]
    var eventOrder: [String] = []
    var version = 100
    var requests: [Request] = []
    var dropsMode = false
    var running = 0
    var mostRunning = 0
    var script: @Sendable (Request) -> HTTPResponse? = { _ in nil }
    var isHeld = false
    var held: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  static let prefix = "https://api"

  var requests: [Request] { state.withLock { $0.requests } }
  var patches: [Request] { requests.filter { $0.method == "PATCH" && $0.path.contains("/services/") } }
  var mostRunning: Int { state.withLock { $0.mostRunning } }
  /// In the order of their making.
  var events: [JSONValue] { state.withLock { state in state.eventOrder.compactMap { state.events[$0] } } }
  var reasons: [String] { events.compactMap { $0["reason"]?.text } }

  /// An API server before 1.29.
  func dropMode() { state.withLock { $0.dropsMode = true } }

  /// What is answered instead; nil: as usual.
  func script(_ script: @escaping @Sendable (Request) -> HTTPResponse?) { state.withLock { $0.script = script } }

  /// No request is answered until ``release()``.
  func hold() { state.withLock { $0.isHeld = true } }

  func release() {
    let held = state.withLock { state in
      state.isHeld = false
      defer { state.held = [] }
      return state.held
    }
    for one in held { one.resume() }
  }

  static func status(_ code: Int, _ reason: String, _ message: String = "no") -> HTTPResponse {
    let body: JSONValue = ["kind": "Status", "reason": .string(reason), "message": .string(message)]
    return HTTPResponse(head: HTTPHead(status: code), body: body.bytes)
  }

  /// Makes a Service, or changes one as another client would: a merge patch of the whole object.
  func edit(_ name: String, _ change: JSONValue, manager: String? = nil) {
    state.withLock { state in
      let path = "/api/v1/namespaces/default/services/\(name)"
      var object = (state.services[path] ?? Self.blank(name)).merged(change)
      if let manager {
        object = object.merged([
          "metadata": [
            "managedFields": .list([
              ["manager": .string(manager), "subresource": "status", "time": "2026-01-02T00:00:00Z"],
              ["manager": "roadstead", "subresource": "status", "time": "2026-01-03T00:00:00Z"],
            ])
          ]
        ])
      }
      Self.put(object, path, &state)
    }
  }

  func delete(_ name: String) { state.withLock { $0.services["/api/v1/namespaces/default/services/\(name)"] = nil } }

  func object(_ name: String) -> JSONValue {
    state.withLock { $0.services["/api/v1/namespaces/default/services/\(name)"] ?? .null }
  }

  /// What a watch would have told.
  var store: ObjectStore {
    var store = ObjectStore()
    for object in state.withLock({ Array($0.services.values) }) {
      if let service = ServiceWriter.service(object.bytes) { store.insert(.service(service)) }
    }
    return store
  }

  private static func blank(_ name: String) -> JSONValue {
    [
      "apiVersion": "v1", "kind": "Service",
      "metadata": ["name": .string(name), "namespace": "default", "uid": .string("uid-\(name)")],
      "spec": ["type": "LoadBalancer", "ports": .list([["port": .integer(80)]])],
    ]
  }

  private static func put(_ object: JSONValue, _ path: String, _ state: inout State) {
    var object = object
    if case .list(let ingress)? = object["status"]?["loadBalancer"]?["ingress"] {
      let seen = ingress.map { one -> JSONValue in
        if state.dropsMode { return one.merged(["ipMode": .null]) }
        return one["ip"] != nil && one["ipMode"] == nil ? one.merged(["ipMode": "VIP"]) : one
      }
      object = object.merged(["status": ["loadBalancer": ["ingress": .list(seen)]]])
    }
    guard object != state.services[path] else { return }
    state.version += 1
    state.services[path] = object.merged(["metadata": ["resourceVersion": .string("\(state.version)")]])
  }

  func send(_ http: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    let body = (try? JSONText.documents(http.body ?? []).first).map { JSONValue($0) } ?? .null
    let path = String(http.url.dropFirst(Self.prefix.count).prefix { $0 != "?" })
    let request = Request(method: http.method, path: path, body: body)
    state.withLock { state in
      state.requests.append(request)
      state.running += 1
      state.mostRunning = max(state.mostRunning, state.running)
    }
    defer { state.withLock { $0.running -= 1 } }
    await withCheckedContinuation { continuation in
      let isHeld = state.withLock { state in
        if state.isHeld { state.held.append(continuation) }
        return state.isHeld
      }
      if !isHeld { continuation.resume() }
    }
    if let answer = state.withLock({ $0.script })(request) {
      if answer.head.status == 0 { throw HTTPTransportError.transfer(code: 7, reason: "connection refused") }
      return answer
    }
    return state.withLock { Self.answer(request, &$0) }
  }

  func stream(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPStream {
    throw HTTPTransportError.invalidRequest("nothing is watched here")
  }

  private static func answer(_ request: Request, _ state: inout State) -> HTTPResponse {
    if request.path.contains("/events") { return answerEvent(request, &state) }
    let isStatus = request.path.hasSuffix("/status")
    let path = isStatus ? String(request.path.dropLast("/status".count)) : request.path
    guard let object = state.services[path] else { return status(404, "NotFound") }
    if request.method == "GET" { return HTTPResponse(head: HTTPHead(status: 200), body: object.bytes) }
    for precondition in ["uid", "resourceVersion"] {
      if let wanted = request.body["metadata"]?[precondition], wanted != object["metadata"]?[precondition] {
        return status(409, "Conflict", "the object has been modified")
      }
    }
    var change: [String: JSONValue] = [:]
    if isStatus { change["status"] = request.body["status"] } else { change["metadata"] = request.body["metadata"] }
    put(object.merged(.map(change)), path, &state)
    return HTTPResponse(head: HTTPHead(status: 200), body: (state.services[path] ?? .null).bytes)
  }

  private static func answerEvent(_ request: Request, _ state: inout State) -> HTTPResponse {
    if request.method == "PATCH" {
      guard let event = state.events[request.path] else { return status(404, "NotFound") }
      state.events[request.path] = event.merged(request.body)
    } else {
      let path = "\(request.path)/\(request.body["metadata"]?["name"]?.text ?? "")"
      guard state.events[path] == nil else { return status(409, "AlreadyExists") }
      state.events[path] = request.body
      state.eventOrder.append(path)
    }
    return HTTPResponse(head: HTTPHead(status: 200), body: Array("{}".utf8))
  }

  func forgetEvents() {
    state.withLock { state in
      state.events = [:]
      state.eventOrder = []
    }
  }
}

extension JSONValue {
  init(_ value: MarkedValue) {
    switch value.content {
    case .null: self = .null
    case .integer(let number): self = .integer(number)
    case .string(let text): self = .string(text)
    case .bool(let flag): self = .string("\(flag)")
    case .decimal(let number): self = .string("\(number)")
    case .list(let values): self = .list(values.map { JSONValue($0) })
    case .map(let fields):
      self = .map(Dictionary(fields.map { ($0.key, JSONValue($0.value)) }, uniquingKeysWith: { $1 }))
    }
  }

  subscript(key: String) -> JSONValue? { if case .map(let fields) = self { fields[key] } else { nil } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var number: Int? { if case .integer(let number) = self { number } else { nil } }

  /// RFC 7386, section 2.
  func merged(_ patch: JSONValue) -> JSONValue {
    guard case .map(let changes) = patch else { return patch }
    var fields: [String: JSONValue] = [:]
    if case .map(let own) = self { fields = own }
    for (key, change) in changes {
      fields[key] = change == .null ? nil : (fields[key] ?? .null).merged(change)
    }
    return .map(fields)
  }
}
