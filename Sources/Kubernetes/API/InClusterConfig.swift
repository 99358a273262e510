import HTTPTransport

/// The connection that Kubernetes gives to a pod: the service account's files and two environment variables.
public enum InClusterConfig {
  /// Where the kubelet puts a pod's service account.
  public static let directory = "/var/run/secrets/kubernetes.io/serviceaccount"

  /// The connection. Token and authorities are renewed by the kubelet, and read anew when they change.
  public static func load(
    environment: [String: String], directory: String = directory
  ) throws(KubeConfigError) -> ClusterConnection {
    let host = try variable("KUBERNETES_SERVICE_HOST", environment)
    let port = try variable("KUBERNETES_SERVICE_PORT", environment)
    guard let number = UInt16(port), number > 0, !port.hasPrefix("+") else {
      throw KubeConfigError(
        field: "KUBERNETES_SERVICE_PORT", message: "must be a port number, not '\(APIError.line(port))'")
    }
    let isName = host.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-.:".utf8.contains(byte)
      }
    }
    guard isName else {
      throw KubeConfigError(
        field: "KUBERNETES_SERVICE_HOST", message: "must be an address or a name, not '\(APIError.line(host))'")
    }
    let token = TokenFile("\(directory)/token")
    do throws(FileSystem.ReadError) {
      try token.load()
    } catch {
      throw KubeConfigError(file: token.path, message: error.message)
    }
    guard token.token != nil else { throw KubeConfigError(file: token.path, message: "holds no token") }
    let authorities = "\(directory)/ca.crt"
    if let problem = PEMFile.problem(inFile: authorities) {
      throw KubeConfigError(file: authorities, message: problem)
    }
    return ClusterConnection(
      name: "in-cluster", server: "https://\(host.contains(":") ? "[\(host)]" : host):\(number)",
      options: TransportOptions(tls: TLSOptions(authorities: .file(authorities))),
      token: { token.token }, namespace: namespace("\(directory)/namespace"))
  }

  private static func variable(
    _ name: String, _ environment: [String: String]
  ) throws(KubeConfigError) -> String {
    guard let value = environment[name], !value.isEmpty else {
      throw KubeConfigError(field: name, message: "is not set, so this is no pod of a cluster; --kubeconfig names one")
    }
    return value
  }

  private static func namespace(_ path: String) -> String? {
    guard let bytes = try? FileSystem.read(path, limit: 4096).bytes,
      let line = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first
    else { return nil }
    return ObjectName.isLabel(String(line)) ? String(line) : nil
  }
}
