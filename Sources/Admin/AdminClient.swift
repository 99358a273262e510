import CLibCurl
import EventLoop
import Glibc

/// Asks a running Roadstead over its admin address. Blocks; any thread may use it.
public struct AdminClient: Sendable {
  public let address: AdminAddress
  /// For connecting and the whole answer, in seconds; at least 1.
  public let timeoutSeconds: Int
  /// A longer answer is an error; in bytes.
  public let maximumBytes: Int

  public init(_ address: AdminAddress, timeoutSeconds: Int = 5, maximumBytes: Int = 64 << 20) {
    self.address = address
    self.timeoutSeconds = max(timeoutSeconds, 1)
    self.maximumBytes = maximumBytes
  }

  /// The state that the process reports.
  public func state() throws(AdminError) -> AdminState { try AdminState(json: stateJSON()) }

  /// The state's JSON as the process sent it.
  public func stateJSON() throws(AdminError) -> [UInt8] {
    let response = try get("/api/v1/state")
    guard response.status == 200 else {
      let line = String(decoding: response.body.prefix { $0 != UInt8(ascii: "\n") }.prefix(200), as: UTF8.self)
      throw AdminError(.answer, "\(address) answered \(response.status): \(line)")
    }
    return response.body
  }

  /// Gets `path`, whatever the status of the answer; its headers other than `Content-Type` are not kept.
  public func get(_ path: String, method: HTTPRequest.Method = .get) throws(AdminError) -> HTTPResponse {
    guard clibcurlIsReady, let easy = unsafe curl_easy_init() else {
      throw AdminError(.system, "libcurl could not start")
    }
    defer { unsafe curl_easy_cleanup(easy) }
    let url: String
    switch address {
    case .tcp(let address): url = "http://\(address)\(path)"
    case .unix(let socket):
      url = "http://localhost\(path)"
      unsafe clibcurl_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, socket)
    case .none: throw AdminError(.address, "the admin address is 'none': there is nobody to ask")
    }
    unsafe clibcurl_set_string(easy, CURLOPT_URL, url)
    unsafe clibcurl_set_string(easy, CURLOPT_PROXY, "")
    unsafe clibcurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http")
    unsafe clibcurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    unsafe clibcurl_set_long(easy, CURLOPT_TIMEOUT, timeoutSeconds)
    unsafe clibcurl_set_long(easy, CURLOPT_NOBODY, method == .head ? 1 : 0)
    let body = BoundedBody(limit: maximumBytes)
    // Retained by this frame until after curl_easy_perform, the only call that uses it.
    let result = withExtendedLifetime(body) {
      unsafe clibcurl_set_data_callback(
        easy, CURLOPT_WRITEFUNCTION, onBody, CURLOPT_WRITEDATA, Unmanaged.passUnretained(body).toOpaque())
      return unsafe curl_easy_perform(easy)
    }
    switch result {
    case CURLE_OK: break
    case CURLE_WRITE_ERROR where body.isOverflown:
      throw AdminError(.answer, "the answer of \(address) is longer than \(maximumBytes) bytes")
    case CURLE_COULDNT_CONNECT:
      let number = unsafe clibcurl_os_errno(easy)
      throw unreachable(number == 0 ? unsafe String(cString: curl_easy_strerror(result)) : "\(Errno(rawValue: number))")
    case CURLE_OPERATION_TIMEDOUT: throw unreachable("nothing within \(timeoutSeconds) s")
    default:
      throw AdminError(
        .answer, "\(address) does not answer as a roadstead: \(unsafe String(cString: curl_easy_strerror(result)))")
    }
    return HTTPResponse(
      UInt16(clamping: unsafe clibcurl_response_code(easy)),
      contentType: unsafe clibcurl_content_type(easy).map { unsafe String(cString: $0) } ?? "",
      body: body.bytes)
  }

  private func unreachable(_ why: String) -> AdminError {
    AdminError(.unreachable, "no roadstead answers at \(address): \(why); is it running with --admin?")
  }
}

/// What libcurl has received of a body.
private final class BoundedBody {
  let limit: Int
  var bytes: [UInt8] = []
  var isOverflown = false

  init(limit: Int) { self.limit = limit }
}

// Once for the process, before any other call to libcurl; Swift makes sure of that.
private let clibcurlIsReady = clibcurl_global_init() == CURLE_OK

// File scope on purpose: a closure literal written inside isolated code inherits that isolation.
private let onBody: clibcurl_data_callback = { data, size, count, context in
  guard let data = unsafe data, let context = unsafe context else { return 0 }
  let bytes = unsafe UnsafeRawBufferPointer(start: data, count: size * count)
  return unsafe Unmanaged<BoundedBody>.fromOpaque(context)._withUnsafeGuaranteedRef { body in
    guard body.bytes.count + bytes.count <= body.limit else {
      body.isOverflown = true
      return 0
    }
    unsafe body.bytes.append(contentsOf: bytes)
    return bytes.count
  }
}
