import Glibc
import HTTPTransport
import TestKit

/// Certificates of a test's own, made once by openssl(1).
final class Certificates: Sendable {
  static let shared = Result { try Certificates() }

  private let directory: TemporaryDirectory

  private init() throws {
    directory = try TemporaryDirectory()
    try authority("ca")
    try authority("other")
    try make("server", "subjectAltName=DNS:roadstead.test,IP:127.0.0.1")
    try make("named", "subjectAltName=DNS:roadstead.test")
    try make("expired", "subjectAltName=IP:127.0.0.1", days: -1)
    try make("client", "subjectAltName=DNS:client")
    try make("stranger", "subjectAltName=DNS:client", by: "other")
    try openssl(["ec", "-in", file("client.key"), "-aes128", "-passout", "pass:x", "-out", file("locked.key")])
  }

  func file(_ name: String) -> String { directory.file(name) }

  func text(_ name: String) throws -> String { try readFile(file(name)) }

  private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

  private func authority(_ name: String) throws {
    try openssl(
      ["req", "-x509"] + Self.newKey
        + ["-keyout", file("\(name).key"), "-out", file("\(name).pem"), "-subj", "/CN=\(name)", "-days", "2"])
  }

  private func make(_ name: String, _ extra: String, days: Int = 2, by issuer: String = "ca") throws {
    try openssl(
      ["req"] + Self.newKey + ["-keyout", file("\(name).key"), "-out", file("\(name).csr"), "-subj", "/CN=\(name)"]
        + ["-addext", extra])
    // Unlike `req`, `x509` makes a certificate that has expired already.
    try openssl(
      ["x509", "-req", "-in", file("\(name).csr"), "-out", file("\(name).pem"), "-days", "\(days)"]
        + ["-CA", file("\(issuer).pem"), "-CAkey", file("\(issuer).key"), "-copy_extensions", "copy"]
        + ["-set_serial", "\(UInt32.random(in: 1...UInt32.max))"])
  }

  private func openssl(_ arguments: [String]) throws {
    let result = try run("openssl", arguments)
    guard result.exit == .code(0) else { throw TestFailure("openssl \(arguments): \(result.transcript)") }
  }
}

/// A TLS server in a process of its own. Each answer says what name was asked for (SNI), the `Host` header, and the
/// common name of the client's certificate.
final class TLSServer: Sendable {
  let port: Int
  private let process: ChildProcess

  /// Shows the certificate `name`; with `clients`, only those that the authority `ca` knows are served.
  init(_ name: String, clients: Bool = false) throws {
    let certificates = try Certificates.shared.get()
    process = try ChildProcess(
      "python3",
      [
        "-c", Self.script, certificates.file("\(name).pem"), certificates.file("\(name).key"),
        clients ? certificates.file("ca.pem") : "",
      ])
    let line = try process.waitForLine(containing: "port ", within: .seconds(30))
    port = Int(line.dropFirst(5)) ?? 0
  }

  private static let script = """
    import socket, ssl, sys, threading
    certificate, key, authority = sys.argv[1:]
    def serve(raw):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
        asked = []
        context.sni_callback = lambda stream, name, context: asked.append(name)
        try:
            with context.wrap_socket(raw, server_side=True) as stream:
                head = b""
                while b"\\r\\n\\r\\n" not in head:
                    head += stream.recv(4096) or exit()
                host = [line[6:] for line in head.decode().split("\\r\\n") if line.lower().startswith("host: ")][0]
                peer = stream.getpeercert()
                name = dict(part[0] for part in peer["subject"])["commonName"] if peer else None
                body = f"{asked[0]} {host} {name}"
                head = f"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
                stream.sendall((head + body).encode())
        except (OSError, SystemExit):
            pass
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    """

  /// What the server says to a client with these options, by the name `host`.
  func ask(_ tls: TLSOptions, host: String = "127.0.0.1") async throws -> Result<String, HTTPTransportError> {
    let transport = CurlTransport(loop: try Rig.loop, options: TransportOptions(tls: tls))
    do throws(HTTPTransportError) {
      let answer = try await transport.send(HTTPRequest("GET", "https://\(host):\(port)/"))
      return .success(String(decoding: answer.body, as: UTF8.self))
    } catch { return .failure(error) }
  }
}
