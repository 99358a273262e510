import CLibCurl
import EventLoop

/// One request under way. Loop only.
final class Transfer {
  let easy: EasyHandle
  let ticket: TransferTicket
  let sink: any ResponseSink
  private let idleTimer: IdleTimer?
  private let headLimit: Int
  private var headBytes = 0
  private var isHeadComplete = false
  private var fields: [HTTPRequest.Header] = []
  private var refusal: HTTPTransportError?

  init(
    _ request: HTTPRequest, ticket: TransferTicket, sink: any ResponseSink, driver: MultiDriver
  ) throws(HTTPTransportError) {
    easy = try EasyHandle.make(request, isStream: sink.isStream, options: driver.options)
    self.ticket = ticket
    self.sink = sink
    headLimit = driver.options.headLimit
    idleTimer = sink.isStream ? IdleTimer(driver: driver, ticket: ticket, seconds: driver.options.idleTimeout) : nil

    // The driver holds the transfer until it has taken the handle from libcurl.
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe clibcurl_set_pointer(easy.raw, CURLOPT_PRIVATE, context)
    unsafe clibcurl_set_data_callback(easy.raw, CURLOPT_HEADERFUNCTION, onHeader, CURLOPT_HEADERDATA, context)
    unsafe clibcurl_set_data_callback(easy.raw, CURLOPT_WRITEFUNCTION, onBody, CURLOPT_WRITEDATA, context)
  }

  /// Starts the wait for the next byte anew.
  func touch() { idleTimer?.touch() }

  /// What libcurl's verdict means to the caller; nil when all went well.
  func error(for code: CURLcode) -> HTTPTransportError? {
    if let refusal { return refusal }
    return code == CURLE_OK ? nil : .transfer(code: code.rawValue, reason: easy.reason(for: code))
  }

  /// One header line, the status line, or the empty line that ends the head. False ends the transfer.
  fileprivate func received(header bytes: UnsafeRawBufferPointer) -> Bool {
    touch()
    headBytes += bytes.count
    guard headBytes <= headLimit else {
      refusal = .transfer(code: CURLE_WRITE_ERROR.rawValue, reason: "the answer's head is over \(headLimit) bytes")
      return false
    }
    // What comes later is a trailer of a chunked body.
    guard !isHeadComplete else { return true }
    let line = unsafe String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      fields.removeAll()
    } else if line == "\r\n" || line == "\n" {
      let status = unsafe clibcurl_response_code(easy.raw)
      // Before the head there may be others, as 100 Continue (RFC 9110, 15.2).
      if status >= 200 {
        isHeadComplete = true
        sink.head(HTTPHead(status: status, headers: fields))
      }
    } else if let colon = line.firstIndex(of: ":") {
      fields.append(.init(String(line[..<colon]), Self.trimmed(line[line.index(after: colon)...])))
    }
    return true
  }

  fileprivate func received(body bytes: UnsafeRawBufferPointer) -> Int {
    switch unsafe sink.body(bytes) {
    case .taken:
      touch()
      return bytes.count
    case .pause:
      // The silence is ours.
      idleTimer?.stop()
      return Int(clibcurl_write_pause)
    case .refused(let error):
      refusal = error
      return 0
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    guard let last = text.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(text[...last].drop { $0.isWhitespace })
  }
}

// File scope on purpose: a closure literal written inside isolated code inherits that isolation.
private let onHeader: clibcurl_data_callback = { data, size, count, context in
  guard let context = unsafe context else { return 0 }
  let bytes = unsafe UnsafeRawBufferPointer(start: data, count: size * count)
  return unsafe Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
    unsafe $0.received(header: bytes) ? bytes.count : 0
  }
}

private let onBody: clibcurl_data_callback = { data, size, count, context in
  guard let context = unsafe context else { return 0 }
  let bytes = unsafe UnsafeRawBufferPointer(start: data, count: size * count)
  return unsafe Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef { unsafe $0.received(body: bytes) }
}
