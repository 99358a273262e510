import HTTPTransport

/// A cluster of a kubeconfig: where the server is and whom to trust there.
struct KubeConfigCluster {
  static let fieldNames = FieldNames(
    "server tls-server-name insecure-skip-tls-verify certificate-authority certificate-authority-data proxy-url "
      + "disable-compression extensions")

  /// Without a slash at its end.
  let server: String
  let tls: TLSOptions
  var isEncrypted: Bool { server.hasPrefix("https:") }

  /// nil after an error was reported.
  init?(_ reader: FieldReader) {
    if let proxy = reader.value("proxy-url"), proxy.string != "" {
      reader.error("proxy-url", "proxies are not supported")
    }
    guard let url = reader.string("server", required: true), let server = Self.server(url, reader) else { return nil }
    self.server = server
    var tls = TLSOptions(authorities: reader.pem("certificate-authority"))
    if let name = reader.string("tls-server-name"), !name.isEmpty {
      if Self.isHost(name) {
        tls.serverName = name
      } else {
        reader.error("tls-server-name", "must be a name or address")
      }
    }
    if reader.bool("insecure-skip-tls-verify") == true {
      tls.isInsecure = true
      if tls.authorities != nil {
        reader.error("insecure-skip-tls-verify", "must not be true beside a certificate-authority")
      } else {
        reader.warning(
          "insecure-skip-tls-verify",
          "the server's certificate is not checked: whoever stands in between can take credentials and forge answers"
        )
      }
    }
    self.tls = tls
  }

  // The URL, checked for what libcurl would only find later.
  private static func server(_ text: String, _ reader: FieldReader) -> String? {
    func refuse(_ why: String) -> String? {
      reader.error("server", why)
      return nil
    }
    let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
    guard let scheme else { return refuse("must be a URL that begins with https://") }
    let rest = text.dropFirst(scheme.count)
    guard !rest.contains("@") else { return refuse("must not hold a user's name or password") }
    guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else { return refuse("must be a URL without ? and #") }
    guard rest.utf8.allSatisfy({ 0x21..<0x7F ~= $0 }) else { return refuse("holds characters that a URL cannot") }
    let authority = rest.prefix { $0 != "/" }
    let host: Substring
    let port: Substring?
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      host = authority[authority.index(after: authority.startIndex)..<end]
      let after = authority[authority.index(after: end)...]
      guard after.isEmpty || after.hasPrefix(":") else { return refuse("holds more after the address than a port") }
      port = after.isEmpty ? nil : after.dropFirst()
    } else {
      let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      host = parts[0]
      port = parts.count > 1 ? parts[1] : nil
      guard port?.contains(":") != true else {
        return refuse("must have an IPv6 address in brackets: https://[fd00::1]:6443")
      }
    }
    guard isHost(String(host)) else { return refuse("must name a host, as https://10.0.0.1:6443") }
    if let port {
      guard let number = UInt16(port), number > 0, !port.hasPrefix("+") else {
        return refuse("must have a port between 1 and 65535")
      }
    }
    var server = scheme + rest
    while server.hasSuffix("/") { server.removeLast() }
    return server
  }

  /// Letters, digits, and what stands in names and addresses.
  static func isHost(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-._:%".utf8.contains(byte)
        }
      }
  }
}
