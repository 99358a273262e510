import HTTPTransport
import Synchronization
import TestKit

@testable import Kubernetes

/// An API server in memory: versions, pages, watches, compaction; and faults by chance.
final class ModelServer: HTTPTransport {
  struct Object: Sendable {
    var version: Int
    var text: String
  }

  private struct Entry {
    let version: Int
    let line: String
  }

  private struct State {
    var random: SeededRandom
    var version = 1
    var objects: [ObjectKind: [String: Object]] = [:]
    var log: [ObjectKind: [Entry]] = [:]
    // Versions before this one cannot be watched from.
    var floor = 1
    var pages: [String: [String]] = [:]
    var faults = 0
    var isDown = false
  }

  private let state: Mutex<State>

  init(seed: UInt64) { state = Mutex(State(random: SeededRandom(seed: seed))) }

  // MARK: What a test does to it

  /// How many answers in a hundred are faulty.
  func setFaults(_ percent: Int) { state.withLock { $0.faults = percent } }
  func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

  func put(_ kind: ObjectKind, _ name: String, _ text: (_ version: Int) -> String) {
    state.withLock { state in
      state.version += 1
      let isNew = state.objects[kind]?[name] == nil
      let object = Object(version: state.version, text: text(state.version))
      state.objects[kind, default: [:]][name] = object
      state.log[kind, default: []].append(
        Entry(version: state.version, line: APITexts.event(isNew ? "ADDED" : "MODIFIED", object.text)))
    }
  }

  func delete(_ kind: ObjectKind, _ name: String) {
    state.withLock { state in
      guard let object = state.objects[kind]?.removeValue(forKey: name) else { return }
      state.version += 1
      let text = object.text.replacing(
        "\"resourceVersion\":\"\(object.version)\"", with: "\"resourceVersion\":\"\(state.version)\"")
      state.log[kind, default: []].append(Entry(version: state.version, line: APITexts.event("DELETED", text)))
    }
  }

  /// Forgets history: versions and page tokens so far expire.
  func compact() {
    state.withLock { state in
      state.floor = state.version
      state.pages = [:]
      for kind in state.log.keys { state.log[kind] = [] }
    }
  }

  func objects(_ kind: ObjectKind) -> [String: Object] { state.withLock { $0.objects[kind] ?? [:] } }

  // MARK: HTTP

  private static let broken = HTTPTransportError.transfer(code: 56, reason: "reset")

  private func query(_ url: String, _ name: String) -> String? {
    guard let range = url.firstRange(of: "\(name)=") else { return nil }
    return String(url[range.upperBound...].prefix { $0 != "&" })
  }

  private func kind(_ url: String) -> ObjectKind {
    let path = url.dropFirst("http://test".count).prefix { $0 != "?" }
    return ObjectKind.allCases.first { $0.path == path } ?? .pod
  }

  func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
    await Task.yield()
    let (status, text) = try list(request.url)
    return HTTPResponse(head: HTTPHead(status: status), body: Array(text.utf8))
  }

  private func list(_ url: String) throws(HTTPTransportError) -> (Int, String) {
    let answer: (Int, String)? = state.withLock { state in
      if state.isDown { return nil }
      if state.random.chance(state.faults) {
        switch Int.random(in: 0..<5, using: &state.random) {
        case 0: return nil
        case 1: return (500, APITexts.status(500, "InternalError"))
        case 2: return (429, APITexts.status(429, "TooManyRequests"))
        case 3: return (200, "<html>")
        default: return (200, #"{"kind":"ServiceList","items":[{"#)
        }
      }
      let kind = kind(url)
      var items: [String]
      if let token = query(url, "continue") {
        guard let rest = state.pages.removeValue(forKey: token) else { return (410, APITexts.status(410, "Expired")) }
        items = rest
      } else {
        items = (state.objects[kind] ?? [:]).sorted { $0.key < $1.key }.map(\.value.text)
      }
      // Smaller pages than asked for, which is a server's right.
      let count = query(url, "limit") == nil ? items.count : min(items.count, 7)
      let rest = Array(items[count...])
      items = Array(items[..<count])
      let token = rest.isEmpty ? nil : "t\(state.random.next())v\(state.version)"
      if let token { state.pages[token] = rest }
      return (200, APITexts.list(kind, listVersion(url, state.version, token), items, continuation: token))
    }
    guard let answer else { throw Self.broken }
    return answer
  }

  // All pages of a list have the version of the first, which its token carries.
  private func listVersion(_ url: String, _ version: Int, _ token: String?) -> String {
    query(url, "continue").flatMap { $0.split(separator: "v").last.map(String.init) } ?? "\(version)"
  }

  func stream(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPStream {
    await Task.yield()
    let kind = kind(request.url)
    let from = query(request.url, "resourceVersion").flatMap { Int($0) } ?? 0
    let (answer, breaksAfter): (HTTPStream?, Int?) = state.withLock { state in
      if state.isDown { return (nil, nil) }
      if from < state.floor {
        let asEvent = state.random.chance(50)
        let text = asEvent ? APITexts.gone : APITexts.status(410, "Expired")
        return (HTTPStream(head: HTTPHead(status: asEvent ? 200 : 410), body: Self.once(text)), nil)
      }
      if state.random.chance(state.faults) {
        let status = state.random.pick([500, 429, 503, 302, 200])
        return (HTTPStream(head: HTTPHead(status: status), body: Self.once("<html>\n")), nil)
      }
      return (nil, state.random.chance(state.faults * 2) ? Int.random(in: 0..<3000, using: &state.random) : .max)
    }
    if let answer { return answer }
    guard let breaksAfter else { throw Self.broken }
    return HTTPStream(head: HTTPHead(status: 200), body: body(kind, from: from, breaksAfter: breaksAfter))
  }

  private static func once(_ text: String) -> HTTPBody {
    let counter = Counter()
    return HTTPBody { () async throws(HTTPTransportError) in counter.next() == 0 ? Array(text.utf8) : nil }
  }

  private struct Course {
    var sent: Int
    var left: Int
    var waiting: [UInt8] = []
  }

  private func body(_ kind: ObjectKind, from: Int, breaksAfter: Int) -> HTTPBody {
    let course = Mutex(Course(sent: from, left: breaksAfter))
    let box = Box(course)
    return HTTPBody { () async throws(HTTPTransportError) -> [UInt8]? in
      while !Task.isCancelled {
        if let bytes = try self.read(kind, box) { return bytes.isEmpty ? nil : bytes }
        try? await Task.sleep(for: .microseconds(200))
      }
      throw .cancelled
    }
  }

  private final class Box: Sendable {
    let course: Mutex<Course>
    init(_ course: consuming sending Mutex<Course>) { self.course = course }
  }

  // nil: nothing yet; empty: the end.
  private func read(_ kind: ObjectKind, _ box: Box) throws(HTTPTransportError) -> [UInt8]? {
    let result: Result<[UInt8]?, HTTPTransportError> = state.withLock { state in
      box.course.withLock { course in
        if state.isDown { return .failure(Self.broken) }
        if course.sent < state.floor {
          // Compacted under the watch: what was read from etcd is still sent, then it ends.
          if course.waiting.isEmpty { course.waiting += Array(APITexts.gone.utf8) }
        } else {
          for entry in state.log[kind] ?? [] where entry.version > course.sent {
            course.waiting += Array(entry.line.utf8)
            course.sent = entry.version
          }
        }
        if course.waiting.isEmpty, state.random.chance(2) {
          course.sent = max(course.sent, state.version)
          course.waiting += Array(APITexts.bookmark(course.sent, kind).utf8)
        }
        guard !course.waiting.isEmpty else { return .success(nil) }
        let count = min(course.waiting.count, Int.random(in: 1...400, using: &state.random))
        guard course.left >= count else {
          course.left = 0
          return state.random.chance(50) ? .failure(Self.broken) : .success([])
        }
        course.left -= count
        let bytes = Array(course.waiting.prefix(count))
        course.waiting.removeFirst(count)
        return .success(bytes)
      }
    }
    return try result.get()
  }
}
