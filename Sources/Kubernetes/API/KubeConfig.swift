import HTTPTransport

/// Reads kubectl's configuration file, YAML or JSON (client-go, tools/clientcmd/api/v1).
///
/// One file, one context: what other contexts name is not looked at, and may be what is not supported here.
public enum KubeConfig {
  /// Larger ones are refused; in bytes.
  private static let limit = 16 << 20

  private static let fieldNames = FieldNames(
    "apiVersion kind preferences clusters users contexts current-context extensions")

  /// The connection that `context` describes, or the file's `current-context`.
  ///
  /// Paths in the file are relative to its directory. Certificates, keys and tokens in files of their own are read anew
  /// when they change.
  public static func load(_ path: String, context: String? = nil) throws(KubeConfigError) -> ClusterConnection {
    let bytes: [UInt8]
    do throws(FileSystem.ReadError) {
      bytes = try FileSystem.read(path, limit: limit).bytes
    } catch {
      throw KubeConfigError(file: path, message: error.message)
    }
    return try read(bytes, file: path, context: context)
  }

  static func read(_ bytes: [UInt8], file: String, context: String? = nil) throws(KubeConfigError) -> ClusterConnection
  {
    let documents: [MarkedValue]
    do throws(SyntaxError) {
      documents = try ManifestContent.documents(bytes, isJSON: file.hasSuffix(".json"))
    } catch {
      throw KubeConfigError(file: file, line: error.line, message: unquoted(error.message))
    }
    guard let document = documents.first else { throw KubeConfigError(file: file, message: "is empty") }
    if documents.count > 1 {
      throw KubeConfigError(
        file: file, line: documents[1].line, message: "a second document begins; a kubeconfig is one")
    }
    guard case .map(let fields) = document.content else {
      throw KubeConfigError(
        file: file, line: document.line, message: "a kubeconfig must be a mapping, not \(document.type)")
    }
    let reading = ObjectReading(file: file, hidesValues: true)
    let top = FieldReader(fields, line: document.line, fieldNames, reading)
    let connection = KubeConfigContext.choose(context, top)?.connection(top)
    if let problem = reading.problems.first(where: { $0.severity == .error }) {
      throw KubeConfigError(file: file, line: problem.line, field: problem.field, message: problem.message)
    }
    // Without an error there is a connection.
    guard var connection else { throw KubeConfigError(file: file, message: "describes no connection") }
    connection.warnings = reading.problems.map(\.logMessage)
    return connection
  }

  // What a parser quotes may be a secret, unless it is a word that we know.
  private static func unquoted(_ message: String) -> String {
    // libyaml's own words hold nothing of the text.
    if message.hasPrefix("not valid YAML: ") { return message }
    guard let first = message.firstIndex(of: "'"), let last = message.lastIndex(of: "'"), first < last else {
      return message
    }
    let quoted = String(message[message.index(after: first)..<last])
    let known = [
      fieldNames, KubeConfigContext.fieldNames, KubeConfigCluster.fieldNames, KubeConfigUser.fieldNames,
      FieldNames("name context cluster user << ?"),
    ]
    if known.contains(where: { $0.contains(quoted) }) || quoted.count == 1 { return message }
    return "\(message[..<first])'…'\(message[message.index(after: last)...])"
  }
}
