import Addresses
import TestKit

/// The quick start's service on addresses of its own: a directory of manifests, pods, and `roadstead run` on both.
///
/// Pods are at `.1` and up on port 18080, the pool is `.50` to `.60`, the admin socket is `admin` beside the manifests.
struct Scenario: Sendable {
  let block: LoopbackBlock
  let directory: TemporaryDirectory
  /// What `-f` gets.
  let manifests: String

  init() throws {
    block = try LoopbackBlock()
    directory = try TemporaryDirectory()
    manifests = try directory.makeDirectory("manifests")
    try write("pool", Manifests.pool(block.address(50), block.address(60)))
  }

  /// Where the first service of the pool answers.
  var address: SocketAddress { block.address(50, port: 8080) }

  /// The admin socket as `--admin` takes it.
  var admin: String { "unix:\(directory.file("admin"))" }

  /// Writes `manifests/NAME.yaml` in place.
  func write(_ name: String, _ text: String) throws { try directory.write("manifests/\(name).yaml", text) }

  func remove(_ name: String) throws { try directory.remove("manifests/\(name).yaml") }

  /// Writes the service of the quick start.
  func writeService(_ name: String = "hostname-svc-lb", annotations: [String: String] = [:]) throws {
    try write("service-\(name)", Manifests.service(name, annotations: annotations))
  }

  /// Writes the manifest of a pod at `.HOST`.
  func writePod(_ host: Int, app: String = "webserver", isReady: Bool = true) throws {
    try write("pod-\(host)", Manifests.pod("pod-\(host)", block.address(host), app: app, isReady: isReady))
  }

  /// Starts a backend at `.HOST` without a manifest; its HTTP answer is `pod-HOST` unless a handler is given.
  func serve(_ host: Int, _ handler: TestServer.Handler? = nil) throws -> TestServer {
    try TestServer(on: block.address(host, port: 18080), handler ?? Handlers.name("pod-\(host)"))
  }

  /// Pods with manifests and backends at each of `hosts`.
  func pods(_ hosts: ClosedRange<Int>, _ handler: TestServer.Handler? = nil) throws -> [TestServer] {
    try hosts.map { host in
      try writePod(host)
      return try serve(host, handler)
    }
  }

  /// Starts `roadstead run -f` on the manifests and waits until the service is up.
  func run(_ options: String..., until line: String? = "8080/TCP →") throws -> ChildProcess {
    let process = try RoadsteadBinary.start(["run", "-f", manifests, "--admin", admin] + options)
    if let line { try process.waitForLine(containing: line) }
    return process
  }

  /// What the admin socket answers to `path`.
  func get(_ path: String) throws -> String {
    try curl("http://localhost\(path)", ["--unix-socket", directory.file("admin")])
  }
}

/// The name that whoever serves `address` gives to a client from `source`.
func podName(at address: SocketAddress, from source: SocketAddress? = nil) throws -> String {
  let client = try TCPStream(to: address, from: source)
  try client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
  let text = String(decoding: try client.receiveUntilEnd().bytes, as: UTF8.self)
  guard text.hasPrefix("HTTP/1.1 200"), let name = text.split(whereSeparator: \.isNewline).last else {
    throw TestFailure("no name from \(address) but '\(text)'")
  }
  return String(name)
}

/// Whether `address` refuses a new connection or ends it before a byte.
func isRefused(_ address: SocketAddress) throws -> Bool {
  do {
    _ = try TCPStream(to: address)
    return false
  } catch is ConnectFailure {
    return true
  }
}
