import HTTPTransport
import TestKit
import Testing

@testable import Kubernetes

struct KubeConfigTests {
  /// PEM as far as the reader looks at it.
  static let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
  static let key = "-----BEGIN EC PRIVATE KEY-----\nS3CRETKEYS3CRETKEY\n-----END EC PRIVATE KEY-----\n"
  static let pemData = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="

  /// A kubeconfig of one context with these fields of its cluster and user.
  static func config(cluster: String = "server: https://10.0.0.1:6443", user: String = "token: s3cret") -> String {
    """
    apiVersion: v1
    kind: Config
    current-context: lab
    clusters:
    - name: c
      cluster: {\(cluster)}
    contexts:
    - name: lab
      context: {cluster: c, user: u, namespace: web}
    users:
    - name: u
      user: {\(user)}
    """
  }

  static func read(_ text: String, file: String = "kube.yaml", context: String? = nil) throws -> ClusterConnection {
    try KubeConfig.read(Array(text.utf8), file: file, context: context)
  }

  /// What is wrong with a text, as printed.
  static func error(_ text: String, file: String = "kube.yaml", context: String? = nil) -> String {
    do throws(KubeConfigError) {
      _ = try KubeConfig.read(Array(text.utf8), file: file, context: context)
      return ""
    } catch { return "\(error)" }
  }

  @Test func `the current context gives server, token and namespace`() throws {
    let connection = try Self.read(Self.config(cluster: "server: https://10.0.0.1:6443/"))
    #expect(connection.name == "lab")
    #expect(connection.server == "https://10.0.0.1:6443")
    #expect(connection.token() == "s3cret")
    #expect(connection.namespace == "web")
    #expect(connection.warnings == [])
    #expect(connection.options == TransportOptions())
  }

  @Test func `JSON is read as YAML is`() throws {
    let json = """
      {"kind":"Config","apiVersion":"v1","preferences":{},"current-context":"a",
       "clusters":[{"name":"a","cluster":{"server":"https://[fd00::1]:6443","tls-server-name":"kubernetes",
                    "certificate-authority-data":"\(Self.pemData)"}}],
       "contexts":[{"name":"a","context":{"cluster":"a","user":""}}],"users":null}
      """
    for file in ["kube.json", "config"] {
      let connection = try Self.read(json, file: file)
      #expect(connection.server == "https://[fd00::1]:6443")
      #expect(connection.options.tls.serverName == "kubernetes")
      #expect(connection.options.tls.authorities == .bytes(Array(Self.pem.utf8)))
      #expect(connection.token() == nil)
      #expect(connection.namespace == nil)
    }
  }

  @Test func `a context may be chosen, and what the others name is not looked at`() throws {
    let text = """
      contexts:
      - {name: a, context: {cluster: a, user: a}}
      - {name: b, context: {cluster: b, user: b}}
      current-context: a
      clusters:
      - {name: a, cluster: {server: nonsense, proxy-url: "http://p"}}
      - {name: b, cluster: {server: "https://b"}}
      users:
      - {name: a, user: {exec: {command: aws}}}
      - {name: b, user: {token: t}}
      """
    #expect(try Self.read(text, context: "b").server == "https://b")
    #expect(Self.error(text, context: "c") == "kube.yaml:2: contexts: there is no context 'c'; there are: a, b")
  }

  @Test func `paths are relative to the file, and data goes before files`() throws {
    let directory = try TestKit.TemporaryDirectory()
    try directory.write("ca.crt", Self.pem)
    try directory.write("client.pem", Self.pem)
    try directory.write("client.key", Self.key)
    let path = try directory.write(
      "config",
      Self.config(
        cluster: "server: https://a, certificate-authority: ca.crt",
        user: "client-certificate: ./client.pem, client-key: \(directory.file("client.key"))"))
    let tls = try KubeConfig.load(path).options.tls
    #expect(tls.authorities == .file(directory.file("ca.crt")))
    #expect(tls.certificate == .file(directory.file("./client.pem")))
    #expect(tls.privateKey == .file(directory.file("client.key")))

    let both = Self.config(
      cluster: "server: https://a, certificate-authority: nowhere, certificate-authority-data: \(Self.pemData)")
    let connection = try Self.read(both)
    #expect(connection.options.tls.authorities == .bytes(Array(Self.pem.utf8)))
    #expect(
      connection.warnings == [
        "kube.yaml:6: clusters[0].cluster.certificate-authority: certificate-authority-data is used, and this is not"
      ])
  }

  @Test func `a token's file is read anew when it changes, and the last token is kept when it cannot be`() throws {
    let directory = try TestKit.TemporaryDirectory()
    try directory.write("token", "one\n")
    let path = try directory.write("config", Self.config(user: "tokenFile: token, token: old"))
    let connection = try KubeConfig.load(path)
    #expect(connection.token() == "one")
    try directory.replace("token", "two")
    #expect(connection.token() == "two")
    try directory.write("token", "")
    #expect(connection.token() == "two")
    try directory.remove("token")
    #expect(connection.token() == "two")
    try directory.write("token", "three \r\n")
    #expect(connection.token() == "three")
    // Not there yet: the token beside it serves.
    try directory.remove("token")
    let second = try KubeConfig.load(path)
    #expect(second.token() == "old")
    #expect(second.warnings.count == 1)
    try directory.write("token", "four")
    #expect(second.token() == "four")
  }

  @Test func `what is unsafe, or probably misspelt, is a warning`() throws {
    let insecure = try Self.read(Self.config(cluster: "server: https://a, insecure-skip-tls-verify: true"))
    #expect(insecure.options.tls.isInsecure)
    #expect(insecure.warnings.count == 1)
    #expect(insecure.warnings.first?.hasPrefix("kube.yaml:6: clusters[0].cluster.insecure-skip-tls-verify: ") == true)
    let plain = try Self.read(Self.config(cluster: "server: http://a"))
    #expect(
      plain.warnings == ["kube.yaml:12: users[0].user.token: is sent without encryption, for the server's URL is http"])
    let misspelt = try Self.read(Self.config(user: "token: x, tokenfile: y, s3cret: z"))
    #expect(
      misspelt.warnings == ["kube.yaml:12: users[0].user.tokenfile: unknown field; did you mean 'tokenFile'?"])
  }

  @Test(
    "each mistake is named with file, line and field", arguments: Self.mistakes)
  func isNamed(_ mistake: Mistake) { #expect(Self.error(mistake.text) == mistake.error) }

  struct Mistake {
    let text: String
    let error: String

    static func text(_ text: String, _ error: String) -> Mistake { Mistake(text: text, error: error) }
    static func cluster(_ fields: String, _ error: String) -> Mistake {
      Mistake(text: config(cluster: fields), error: "kube.yaml:6: clusters[0].cluster.\(error)")
    }
    static func user(_ fields: String, _ error: String) -> Mistake {
      Mistake(text: config(user: fields), error: "kube.yaml:12: users[0].user.\(error)")
    }
  }

  static let mistakes: [Mistake] = [
    .text("", "kube.yaml: is empty"),
    .text("- a", "kube.yaml:1: a kubeconfig must be a mapping, not a list"),
    .text("s3cret", "kube.yaml:1: a kubeconfig must be a mapping, not a string"),
    .text("kind: Service\n", "kube.yaml:1: kind: must be Config: this is no kubeconfig"),
    .text("apiVersion: v2\n", "kube.yaml:1: apiVersion: must be v1"),
    .text("a: 1\n---\nb: 2\n", "kube.yaml:3: a second document begins; a kubeconfig is one"),
    .text("clusters: []\n", "kube.yaml:1: current-context: names no context; there are none"),
    .text(
      "current-context: ''\ncontexts: [{name: a}, {name: b}]\n",
      "kube.yaml:1: current-context: names no context; there are: a, b"),
    .text("current-context: x\ncontexts: {a: b}\n", "kube.yaml:2: contexts: must be a list, not a mapping"),
    .text(
      "current-context: x\ncontexts: [{name: z}]\n",
      "kube.yaml:1: current-context: there is no context 'x'; there are: z"),
    .text("current-context: x\ncontexts: [{name: x}]\n", "kube.yaml:2: contexts[0].context: is required"),
    .text(
      "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: d}]\n",
      "kube.yaml:2: contexts[0].context.cluster: there is no cluster 'c'; there are: d"),
    .text(
      "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
        + "clusters: [{name: c, cluster: {server: 'https://a'}}]\n",
      "kube.yaml:2: contexts[0].context.user: there is no user 'u'; there are none"),
    .text(
      "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
        + "clusters:\n- {name: c, cluster: {server: 'https://a'}}\n- {name: c}\n",
      "kube.yaml:5: clusters[1].name: 'c' is the name of an entry before"),
    .text(
      "token: [s3cret\n",
      "kube.yaml:2: not valid YAML: while parsing a flow sequence begun in line 1: "
        + "did not find expected ',' or ']'"),
    .text("a: 1\ns3cret: 2\ns3cret: 3\n", "kube.yaml:2: the key '…' appears twice in a mapping"),
    .text("users: 1\nusers: 3\n", "kube.yaml:1: the key 'users' appears twice in a mapping"),
    .cluster("", "server: is required"),
    .cluster("server: 12345", "server: must be a string, not a number; put it in quotes"),
    .cluster("server: 10.0.0.1", "server: must be a URL that begins with https://"),
    .cluster("server: 'https://'", "server: must name a host, as https://10.0.0.1:6443"),
    .cluster("server: 'https://a:s3cret@b'", "server: must not hold a user's name or password"),
    .cluster("server: 'https://a b'", "server: holds characters that a URL cannot"),
    .cluster("server: 'https://a?b'", "server: must be a URL without ? and #"),
    .cluster("server: 'https://a:0'", "server: must have a port between 1 and 65535"),
    .cluster("server: 'https://a:66000/x'", "server: must have a port between 1 and 65535"),
    .cluster("server: 'https://fd00::1'", "server: must have an IPv6 address in brackets: https://[fd00::1]:6443"),
    .cluster("server: https://a, proxy-url: http://p", "proxy-url: proxies are not supported"),
    .cluster("server: https://a, tls-server-name: a/b", "tls-server-name: must be a name or address"),
    .cluster(
      "server: https://a, certificate-authority: nowhere",
      "certificate-authority: the file cannot be read: No such file or directory"),
    .cluster(
      "server: https://a, certificate-authority-data: 'AAA*'",
      "certificate-authority-data: is not base64: character 4 does not belong there"),
    .cluster(
      "server: https://a, certificate-authority-data: AAA", "certificate-authority-data: is not base64: it is cut short"
    ),
    .cluster(
      "server: https://a, certificate-authority-data: czNjcmV0",
      "certificate-authority-data: holds no PEM text (-----BEGIN …)"),
    .cluster(
      "server: https://a, insecure-skip-tls-verify: true, certificate-authority-data: \(pemData)",
      "insecure-skip-tls-verify: must not be true beside a certificate-authority"),
    .cluster(
      "server: https://a, insecure-skip-tls-verify: maybe",
      "insecure-skip-tls-verify: must be true or false, not a string"),
    .user(
      "exec: {command: aws, args: [s3cret]}",
      "exec: programs that give credentials are not supported; use token, tokenFile or client-certificate"),
    .user(
      "auth-provider: {name: gcp}",
      "auth-provider: auth providers are not supported; use token, tokenFile or client-certificate"),
    .user(
      "username: admin, password: s3cret",
      "username: user names and passwords are not supported; use token, tokenFile or client-certificate"),
    .user("as: bob", "as: acting as somebody else is not supported; use token, tokenFile or client-certificate"),
    .user(
      "as-groups: [a]",
      "as-groups: acting as somebody else is not supported; use token, tokenFile or client-certificate"),
    .user("token: 123456", "token: must be a string, not a number; put it in quotes"),
    .user("token: [s3cret]", "token: must be a string, not a list"),
    .user("token: \"s3cret\\n\"", "token: must not hold spaces or control characters"),
    .user("tokenFile: nowhere", "tokenFile: the file cannot be read: No such file or directory"),
    .user("tokenFile: /dev/null", "tokenFile: the file is not a regular file"),
    .user("client-certificate-data: \(pemData)", "client-key: is required beside client-certificate"),
    .user("client-key-data: \(pemData)", "client-key-data: holds no private key"),
    .user("client-key-data: 's3cret!'", "client-key-data: is not base64: character 7 does not belong there"),
    .user("client-key-data: [s3cret]", "client-key-data: must be a string, not a list"),
  ]

  @Test func `an encrypted key is named`() {
    for text in ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"] {
      #expect(
        PEMFile.problem(in: Array(text.utf8), isKey: true) == "is encrypted; a key without a pass phrase is needed")
    }
    #expect(PEMFile.problem(in: Array(Self.key.utf8), isKey: true) == nil)
  }

  @Test func `a file that cannot be read is named`() {
    do throws(KubeConfigError) {
      _ = try KubeConfig.load("/nowhere/config")
      Issue.record("no error")
    } catch { #expect("\(error)" == "/nowhere/config: cannot be read: No such file or directory") }
  }

  @Test func `no description shows a token or a key`() throws {
    let connection = try Self.read(
      Self.config(
        user:
          "token: s3cret, client-certificate-data: \(Self.pemData), client-key-data: \(Base64Tests.encode(Self.key))"))
    guard case .bytes(let key)? = connection.options.tls.privateKey else { throw TestFailure("no key") }
    #expect(key == Array(Self.key.utf8))
    var text = "\(connection) \(String(reflecting: connection))"
    dump(connection, to: &text)
    #expect(!text.contains("s3cret") && !text.contains("S3CRET") && !text.contains("\(key[31]), \(key[32])"))
  }

  @Test func `no bytes crash the reader, forge lines, or bring a secret into an error`() throws {
    var random = SeededRandom(seed: testSeed())
    let secret = "SECRETSECRETSECRET"
    let yaml = Self.config(user: "token: \(secret), client-key-data: \(secret)")
    let json = """
      {"current-context":"a","clusters":[{"name":"a","cluster":{"server":"https://b"}}],"contexts":[{"name":"a",
      "context":{"cluster":"a","user":"a"}}],"users":[{"name":"a","user":{"token":"\(secret)"}}]}
      """
    let words = [
      "{", "}", "[", "]", ": ", ",", "- ", "\n", "\"", "'", "*a", "&a ", "<<: ", "? ", "| ", "\u{0}", "é", "!x ",
    ]
    for _ in 0..<5000 {
      let isJSON = random.chance(50)
      var bytes = Array((isJSON ? json : yaml).utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, at + Int.random(in: 0...12, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.removeSubrange(at..<end)
        case 1: bytes.insert(contentsOf: Array(random.pick(words).utf8), at: at)
        case 2: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &random) }
        default: bytes = random.chance(90) ? bytes : Array(bytes[..<at])
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(KubeConfigError) {
        let connection = try KubeConfig.read(bytes, file: isJSON ? "a.json" : "a.yaml")
        for warning in connection.warnings { #expect(!warning.contains("SECRETSE"), "\(text)") }
      } catch {
        let line = "\(error)"
        #expect(!line.contains("SECRETSE") && !line.contains("\n"), "\(line) of \(text)")
        #expect(line.hasPrefix(isJSON ? "a.json:" : "a.yaml:"))
      }
    }
  }
}
