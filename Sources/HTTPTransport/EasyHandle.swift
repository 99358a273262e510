import CLibCurl

/// Owns one easy handle and everything that libcurl borrows while it lives. Loop only.
@safe struct EasyHandle: ~Copyable {
  // Made in init, freed in deinit, the handle first.
  let raw: UnsafeMutableRawPointer
  private let reason: UnsafeMutablePointer<CChar>
  private var headers: UnsafeMutablePointer<curl_slist>?
  private var connections: UnsafeMutablePointer<curl_slist>?

  init() {
    guard let raw = unsafe curl_easy_init() else { preconditionFailure("out of memory") }
    unsafe self.raw = raw
    unsafe reason = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    unsafe headers = nil
    unsafe connections = nil
    unsafe clibcurl_set_pointer(raw, CURLOPT_ERRORBUFFER, reason)
  }

  deinit {
    unsafe curl_easy_cleanup(raw)
    unsafe curl_slist_free_all(headers)
    unsafe curl_slist_free_all(connections)
    unsafe reason.deallocate()
  }

  /// libcurl's words for the last failure, in one line.
  func reason(for code: CURLcode) -> String {
    let text = unsafe reason.pointee == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: reason)
    return String(text.prefix(300).map { $0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? " " : $0 })
  }

  func set(_ option: CURLoption, _ value: Int) { unsafe clibcurl_set_long(raw, option, value) }

  /// nil takes the option back.
  func set(_ option: CURLoption, _ value: String?) {
    if let value {
      unsafe clibcurl_set_string(raw, option, value)
    } else {
      unsafe clibcurl_set_string(raw, option, nil)
    }
  }

  func set(file: CURLoption, bytes: CURLoption, _ source: PEMSource?) {
    switch source {
    case nil: break
    case .file(let path): set(file, path)
    case .bytes(let pem):
      _ = unsafe pem.withUnsafeBytes { unsafe clibcurl_set_blob(raw, bytes, $0.baseAddress, $0.count) }
    }
  }

  func setBody(_ body: [UInt8]) {
    _ = unsafe body.withUnsafeBytes { unsafe clibcurl_set_body(raw, $0.baseAddress, $0.count) }
  }

  mutating func setHeaders(_ lines: [String]) {
    for line in lines { unsafe headers = curl_slist_append(headers, line) }
    unsafe clibcurl_set_list(raw, CURLOPT_HTTPHEADER, headers)
  }

  /// Connects elsewhere than the URL says, in CURLOPT_CONNECT_TO's form.
  mutating func setConnectTo(_ text: String) {
    unsafe connections = curl_slist_append(connections, text)
    unsafe clibcurl_set_list(raw, CURLOPT_CONNECT_TO, connections)
  }
}
