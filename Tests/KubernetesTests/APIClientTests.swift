import HTTPTransport
import Synchronization
import Testing

@testable import Kubernetes

struct APIClientTests {
  /// Answers by a closure, and keeps the tokens that it saw.
  private final class Script: HTTPTransport {
    let tokens = Mutex<[String?]>([])
    let answer: @Sendable (HTTPRequest) -> HTTPResponse

    init(_ answer: @escaping @Sendable (HTTPRequest) -> HTTPResponse) { self.answer = answer }

    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
      tokens.withLock { $0.append(request.bearerToken) }
      return answer(request)
    }

    func stream(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPStream {
      let response = try await send(request)
      let rest = Rest(response.body)
      return HTTPStream(head: response.head, body: HTTPBody { () async throws(HTTPTransportError) in rest.take() })
    }

    private final class Rest: Sendable {
      let bytes: Mutex<[UInt8]?>
      init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }
      func take() -> [UInt8]? {
        bytes.withLock { bytes in
          defer { bytes = nil }
          return bytes
        }
      }
    }
  }

  /// A token that is another one each time it is asked for, up to a last.
  private final class Tokens: Sendable {
    let left: Mutex<[String]>
    init(_ tokens: [String]) { left = Mutex(tokens) }
    func next() -> String? { left.withLock { $0.count > 1 ? $0.removeFirst() : $0.first } }
  }

  private static func response(_ status: Int, _ type: String? = "application/json", _ body: String = "{}")
    -> HTTPResponse
  {
    HTTPResponse(
      head: HTTPHead(status: status, headers: type.map { [.init("content-type", $0)] } ?? []), body: Array(body.utf8))
  }

  @Test(
    "only JSON is the API's answer",
    arguments: [
      ("application/json", true), ("application/json; charset=utf-8", true), ("Application/JSON;stream=watch", true),
      (nil, true), ("text/html; charset=utf-8", false), ("", false),
    ] as [(String?, Bool)])
  func contentType(_ type: String?, _ isAccepted: Bool) async {
    let client = APIClient(transport: Script { _ in Self.response(200, type, "<html>") }, server: "https://a")
    do throws(APIError) {
      _ = try await client.get("/api")
      #expect(isAccepted)
    } catch {
      #expect(!isAccepted)
      #expect("\(error)" == "200: not the API's answer (\(type == "" ? "of no type" : "text/html"))")
    }
    do throws(APIError) {
      _ = try await client.watch("/api?watch=1")
      #expect(isAccepted)
    } catch { #expect(!isAccepted) }
  }

  @Test func `a refused token is tried once more where it was renewed`() async throws {
    let script = Script { Self.response($0.bearerToken == "new" ? 200 : 401) }
    let tokens = Tokens(["old", "new"])
    let client = APIClient(transport: script, server: "https://a", token: { tokens.next() })
    _ = try await client.get("/api")
    #expect(script.tokens.withLock { $0 } == ["old", "new"])
    _ = try await client.watch("/api")
    #expect(script.tokens.withLock { $0 } == ["old", "new", "new"])
  }

  @Test(arguments: [["old"], ["old", "other", "new"], []])
  func `a token that stays refused is an error, after one try more at most`(_ list: [String]) async {
    let script = Script { Self.response($0.bearerToken == "new" ? 200 : 401) }
    let tokens = Tokens(list)
    let client = APIClient(transport: script, server: "https://a", token: { tokens.next() })
    do throws(APIError) {
      _ = try await client.watch("/api")
      Issue.record("no error")
    } catch { #expect(error.code == 401) }
    #expect(script.tokens.withLock { $0.count } == max(1, min(2, list.count)))
  }
}
