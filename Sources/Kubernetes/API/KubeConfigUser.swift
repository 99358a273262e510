import HTTPTransport

/// A user of a kubeconfig: what shows the server who we are.
struct KubeConfigUser {
  static let fieldNames = FieldNames(
    "client-certificate client-certificate-data client-key client-key-data token tokenFile as as-uid as-groups "
      + "as-user-extra username password auth-provider exec extensions")

  private(set) var certificate: PEMSource?
  private(set) var privateKey: PEMSource?
  private(set) var token: @Sendable () -> String? = { nil }

  /// Nobody.
  init() {}

  /// What is wrong is reported.
  init(_ reader: FieldReader, isEncrypted: Bool) {
    for (field, what) in Self.unsupported where reader.holds(field) {
      reader.error(field, "\(what) not supported; use token, tokenFile or client-certificate")
    }
    certificate = reader.pem("client-certificate")
    privateKey = reader.pem("client-key", isKey: true)
    if !reader.reading.hasError, (certificate == nil) != (privateKey == nil) {
      let (lacking, given) =
        certificate == nil ? ("client-certificate", "client-key") : ("client-key", "client-certificate")
      reader.error(lacking, "is required beside \(given)")
    }
    let text = reader.string("token") ?? ""
    if text.utf8.contains(where: { $0 < 0x21 || $0 == 0x7F }) {
      reader.error("token", "must not hold spaces or control characters")
    }
    let path = reader.string("tokenFile") ?? ""
    if !path.isEmpty {
      // The file wins over the token beside it, which serves until the file can be read, as in client-go.
      let file = TokenFile(reader.path(path), fallback: text.isEmpty ? nil : text)
      do throws(FileSystem.ReadError) {
        try file.load()
        if file.token == nil { reader.error("tokenFile", "the file holds no token") }
      } catch {
        let message = "the file \(error.message)"
        if text.isEmpty { reader.error("tokenFile", message) } else { reader.warning("tokenFile", message) }
      }
      token = { file.token }
    } else if !text.isEmpty {
      token = { text }
    }
    if !isEncrypted, !text.isEmpty || !path.isEmpty {
      reader.warning(path.isEmpty ? "token" : "tokenFile", "is sent without encryption, for the server's URL is http")
    }
  }

  private static let unsupported = [
    ("exec", "programs that give credentials are"), ("auth-provider", "auth providers are"),
    ("username", "user names and passwords are"), ("password", "user names and passwords are"),
    ("as", "acting as somebody else is"), ("as-uid", "acting as somebody else is"),
    ("as-groups", "acting as somebody else is"), ("as-user-extra", "acting as somebody else is"),
  ]
}

extension FieldReader {
  /// Whether a field is there and not empty.
  fileprivate func holds(_ key: String) -> Bool {
    switch value(key)?.content {
    case nil, .null: false
    case .string(let text): !text.isEmpty
    case .list(let values): !values.isEmpty
    case .map, .bool, .integer, .decimal: true
    }
  }

  /// A path as the process finds it: the file's are relative to its directory.
  func path(_ text: String) -> String {
    guard !text.hasPrefix("/"), let slash = reading.file.lastIndex(of: "/") else { return text }
    return reading.file[...slash] + text
  }

  /// PEM text that stands in the field `KEY-data` as base64, or in the file that the field `KEY` names.
  func pem(_ key: String, isKey: Bool = false) -> PEMSource? {
    let path = string(key) ?? ""
    let dataKey = "\(key)-data"
    guard let data = string(dataKey), !data.isEmpty else {
      guard !path.isEmpty else { return nil }
      if let problem = PEMFile.problem(inFile: self.path(path), isKey: isKey) {
        error(key, "the file \(problem)")
        return nil
      }
      return .file(self.path(path))
    }
    if !path.isEmpty { warning(key, "\(dataKey) is used, and this is not") }
    do throws(Base64.DecodingError) {
      let bytes = try Base64.decode(data)
      if let problem = PEMFile.problem(in: bytes, isKey: isKey) {
        error(dataKey, problem)
        return nil
      }
      return .bytes(bytes)
    } catch {
      self.error(dataKey, error.message)
      return nil
    }
  }
}
