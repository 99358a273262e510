import CLibCurl

extension EasyHandle {
  /// A handle that does one request. Throws `.invalidRequest` without ever quoting a header's value or the token.
  static func make(
    _ request: HTTPRequest, isStream: Bool, options: TransportOptions
  ) throws(HTTPTransportError) -> EasyHandle {
    var easy = EasyHandle()
    try easy.prepare(request, isStream: isStream, options: options)
    return easy
  }

  private mutating func prepare(
    _ request: HTTPRequest, isStream: Bool, options: TransportOptions
  ) throws(HTTPTransportError) {
    var lines = try Self.headerLines(request)
    set(CURLOPT_URL, request.url)
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    set(CURLOPT_NOSIGNAL, 1)
    // The empty string, for otherwise the environment's https_proxy is used.
    set(CURLOPT_PROXY, options.proxy ?? "")
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_CONNECTTIMEOUT_MS, Int(options.connectTimeout * 1000))
    if !isStream { set(CURLOPT_TIMEOUT_MS, Int(options.unaryTimeout * 1000)) }
    set(options.tls)

    if let name = options.tls.serverName, !name.isEmpty {
      guard let url = ServerURL(request.url, renamedTo: name) else { throw .invalidRequest("a URL that is none") }
      // Name and certificate are those of the URL, so the URL is renamed and the connection led back.
      set(CURLOPT_URL, url.renamed)
      setConnectTo("::\(url.host):\(url.port)")
      if !request.headers.contains(where: { $0.name.lowercased() == "host" }) { lines.append("Host: \(url.authority)") }
    }
    if let body = request.body {
      setBody(body)
      // No round trip for 100 Continue.
      lines.append("Expect:")
    }
    // libcurl would wait for the body that the answer to HEAD announces.
    if request.method == "HEAD" { set(CURLOPT_NOBODY, 1) }
    set(CURLOPT_CUSTOMREQUEST, request.method)
    setHeaders(lines)
  }

  private func set(_ tls: TLSOptions) {
    // Files may be rotated; otherwise libcurl keeps the authorities for a day.
    set(CURLOPT_CA_CACHE_TIMEOUT, 0)
    // A session that is taken up again is not verified again.
    set(CURLOPT_SSL_SESSIONID_CACHE, 0)
    if tls.authorities != nil {
      // libcurl's build may name a directory of authorities, which would be trusted as well.
      set(CURLOPT_CAPATH, nil)
    }
    set(file: CURLOPT_CAINFO, bytes: CURLOPT_CAINFO_BLOB, tls.authorities)
    set(file: CURLOPT_SSLCERT, bytes: CURLOPT_SSLCERT_BLOB, tls.certificate)
    set(file: CURLOPT_SSLKEY, bytes: CURLOPT_SSLKEY_BLOB, tls.privateKey)
    // Otherwise OpenSSL asks the terminal for the pass phrase of an encrypted key.
    set(CURLOPT_KEYPASSWD, "")
    if tls.isInsecure {
      set(CURLOPT_SSL_VERIFYPEER, 0)
      set(CURLOPT_SSL_VERIFYHOST, 0)
    }
  }

  private static func headerLines(_ request: HTTPRequest) throws(HTTPTransportError) -> [String] {
    guard isClean(request.url) else { throw .invalidRequest("a control character in the URL") }
    guard isToken(request.method) else { throw .invalidRequest("a method that is no word") }
    var lines: [String] = []
    for header in request.headers {
      guard isToken(header.name) else { throw .invalidRequest("a header's name that is no word") }
      guard isClean(header.value) else { throw .invalidRequest("a control character in the header \(header.name)") }
      // libcurl drops a header with a colon and nothing after it.
      lines.append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
    }
    if let token = request.bearerToken {
      guard isClean(token) else { throw .invalidRequest("a control character in the bearer token") }
      lines.append("Authorization: Bearer \(token)")
    }
    return lines
  }

  private static func isClean(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 32 && $0 != 127 } }

  // RFC 9110, 5.6.2.
  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }
}
