import CLibCurl

/// A URL taken apart by libcurl, to be asked for under another host's name.
struct ServerURL {
  /// As in a URL: an IPv6 address stands in brackets.
  let host: String
  let port: String
  /// `host:port` where the URL names a port, else the host: what a `Host` header says.
  let authority: String
  /// The same URL with the other host.
  let renamed: String

  /// nil where `url` is none, or `name` cannot be a host.
  init?(_ url: String, renamedTo name: String) {
    guard let parts = unsafe curl_url() else { return nil }
    // Used by the calls below only; what they return is freed by `text(of:)`.
    defer { unsafe curl_url_cleanup(parts) }
    guard unsafe curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK,
      let host = unsafe Self.text(of: CURLUPART_HOST, parts),
      let port = unsafe Self.text(of: CURLUPART_PORT, parts, UInt32(CURLU_DEFAULT_PORT))
    else { return nil }
    self.host = host
    self.port = port
    authority = unsafe Self.text(of: CURLUPART_PORT, parts).map { "\(host):\($0)" } ?? host
    let host6 = name.contains(":") && !name.hasPrefix("[") ? "[\(name)]" : name
    guard unsafe curl_url_set(parts, CURLUPART_HOST, host6, 0) == CURLUE_OK,
      let renamed = unsafe Self.text(of: CURLUPART_URL, parts)
    else { return nil }
    self.renamed = renamed
  }

  private static func text(of part: CURLUPart, _ parts: OpaquePointer, _ flags: UInt32 = 0) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(parts, part, &text, flags) == CURLUE_OK, let text = unsafe text else { return nil }
    defer { unsafe curl_free(text) }
    return unsafe String(cString: text)
  }
}
