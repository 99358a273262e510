import HTTPTransport
import TestKit
import Testing

@testable import Kubernetes

struct InClusterConfigTests {
  private let directory: TestKit.TemporaryDirectory
  private static let environment = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]

  init() throws {
    directory = try TestKit.TemporaryDirectory()
    try directory.write("token", "s3cret-1")
    try directory.write("ca.crt", KubeConfigTests.pem)
    try directory.write("namespace", "roadstead")
  }

  private func load(_ environment: [String: String] = environment) throws(KubeConfigError) -> ClusterConnection {
    try InClusterConfig.load(environment: environment, directory: directory.path)
  }

  private func error(_ environment: [String: String] = environment) -> String {
    do throws(KubeConfigError) {
      _ = try load(environment)
      return ""
    } catch { return "\(error)" }
  }

  @Test func `a pod's service account gives the connection`() throws {
    let connection = try load()
    #expect(connection.name == "in-cluster")
    #expect(connection.server == "https://10.96.0.1:443")
    #expect(connection.token() == "s3cret-1")
    #expect(connection.namespace == "roadstead")
    #expect(connection.options.tls.authorities == .file(directory.file("ca.crt")))
    #expect(connection.warnings == [])
    var environment = Self.environment
    environment["KUBERNETES_SERVICE_HOST"] = "fd00:10:96::1"
    #expect(try load(environment).server == "https://[fd00:10:96::1]:443")
  }

  @Test func `a rotated token is used at once, as the kubelet swaps it`() throws {
    try directory.remove("token")
    try directory.makeDirectory("..1")
    try directory.write("..1/token", "one")
    _ = try run("ln", ["-s", "..1", directory.file("..data")])
    _ = try run("ln", ["-s", "..data/token", directory.file("token")])
    let connection = try load()
    #expect(connection.token() == "one")
    try directory.makeDirectory("..2")
    try directory.write("..2/token", "two")
    _ = try run("ln", ["-s", "..2", directory.file("..next")])
    _ = try run("mv", ["-T", directory.file("..next"), directory.file("..data")])
    #expect(connection.token() == "two")
    _ = try run("rm", ["-r", directory.file("..2")])
    #expect(connection.token() == "two")
  }

  @Test func `what is missing or wrong is named`() throws {
    let outside = "is not set, so this is no pod of a cluster; --kubeconfig names one"
    #expect(error([:]) == "KUBERNETES_SERVICE_HOST: \(outside)")
    var environment = Self.environment
    environment["KUBERNETES_SERVICE_PORT"] = nil
    #expect(error(environment) == "KUBERNETES_SERVICE_PORT: \(outside)")
    environment["KUBERNETES_SERVICE_PORT"] = "tcp\n"
    #expect(error(environment) == "KUBERNETES_SERVICE_PORT: must be a port number, not 'tcp '")
    environment = Self.environment
    environment["KUBERNETES_SERVICE_HOST"] = "a/b"
    #expect(error(environment) == "KUBERNETES_SERVICE_HOST: must be an address or a name, not 'a/b'")
    try directory.write("ca.crt", "s3cret")
    #expect(error() == "\(directory.file("ca.crt")): holds no PEM text (-----BEGIN …)")
    try directory.remove("ca.crt")
    #expect(error() == "\(directory.file("ca.crt")): cannot be read: No such file or directory")
    try directory.write("token", "\n")
    #expect(error() == "\(directory.file("token")): holds no token")
    try directory.remove("token")
    #expect(error() == "\(directory.file("token")): cannot be read: No such file or directory")
  }
}
