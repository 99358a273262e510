import Addresses
import Admin
import ArgumentParser
import EventLoop
import FoundationEssentials
import Glibc

/// `roadstead demo`: the example of the README on loopback addresses, with three built-in pods.
struct DemoCommand: AsyncParsableCommand, SignalTaking {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Serve an example with three built-in pods on loopback; needs no privileges.")

  static var signals: [CInt] { ServingProcess.signals }

  @OptionGroup var process: ProcessOptions

  func run() async throws {
    let manifest = try DemoManifest.write()
    defer { manifest.remove() }
    let pods = try LoopThread(name: "demo pods")
    let servers = try await startPods(pods.loop)
    let datagrams = try await startDatagrams(pods.loop)
    print("Roadstead demo: a Service and its pods, on this machine's loopback addresses only.")
    print("  manifest  \(manifest.path)  (edit it: changes apply at once)")
    for pod in DemoManifest.pods { print("  pod       \(pod.name) at \(pod.address), app: \(pod.app)") }
    flushStandardOutput()
    var options = ServingProcess.Options()
    options.manifests = [manifest.path]
    process.apply(to: &options)
    try await ServingProcess(options).serve {
      print("")
      print("  try       curl http://\(DemoManifest.serviceAddress)/")
      print("            bash -c 'exec 3<>/dev/udp/\(DemoManifest.nameAddress.udpPath); echo >&3; head -1 <&3'")
      print("  ask       \(CommandLine.arguments[0]) status")
      print("            \(CommandLine.arguments[0]) explain \(DemoManifest.serviceName)")
      print("  end       Ctrl-C")
      flushStandardOutput()
    }
    for server in servers { await stop(server) }
    withExtendedLifetime(datagrams) {}
  }

  private func startPods(_ loop: EventLoop) async throws -> [LoopBound<HTTPServer>] {
    var servers: [LoopBound<HTTPServer>] = []
    for pod in DemoManifest.pods {
      var routes = RouteTable()
      let answer = HTTPResponse.text(pod.name)
      routes.routeEverythingElse { _, responder in responder.respond(answer) }
      let limits = HTTPServer.Limits(idleSeconds: 75, connectionsPerAddress: 0)
      do {
        servers.append(
          try await loop.make { [routes] loop in
            try HTTPServer(loop: loop, address: .tcp(pod.address), routes: routes, limits: limits)
          })
      } catch let error as AdminError where error.code == .inUse {
        throw CommandFailure(.system, "\(error): does another demo run on this machine?")
      }
    }
    return servers
  }

  private func startDatagrams(_ loop: EventLoop) async throws -> [LoopBound<DatagramAnswers>] {
    var all: [LoopBound<DatagramAnswers>] = []
    for pod in DemoManifest.pods {
      all.append(
        try await loop.make { loop in
          try DatagramAnswers(loop: loop, address: pod.address, answer: .bytes(Array("\(pod.name)\n".utf8)))
        })
    }
    return all
  }

  private func stop(_ server: LoopBound<HTTPServer>) async {
    await withCheckedContinuation { continuation in
      server.submit {
        $0.stop()
        continuation.resume()
      }
    }
  }
}

/// The demo's manifest, in a directory of its own while the demo runs.
struct DemoManifest {
  struct Pod: Sendable {
    let name: String
    let app: String
    let address: SocketAddress
  }

  static let serviceName = "hostname-svc-lb"
  static let serviceAddress = SocketAddress(IPAddress(v4: 0x7F65_0032), port: 8080)
  /// TCP and UDP on one port number.
  static let nameAddress = SocketAddress(IPAddress(v4: 0x7F65_0033), port: 5300)
  static let pods = ["web-1", "web-2", "web-3", "db-1"].enumerated().map { index, name in
    Pod(
      name: name, app: name.hasPrefix("web") ? "webserver" : "database",
      address: SocketAddress(IPAddress(v4: 0x7F65_0101 + UInt32(index)), port: 18080))
  }

  let directory: String
  var path: String { "\(directory)/demo.yaml" }

  /// Writes it where the system keeps temporary files.
  static func write() throws(CommandFailure) -> DemoManifest {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/roadstead-demo.XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw CommandFailure(.system, "cannot make a directory in \(parent): \(Errno.current)")
    }
    let manifest = DemoManifest(
      directory: String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: manifest.path))
    } catch {
      throw CommandFailure(.system, "cannot write \(manifest.path): \(error)")
    }
    return manifest
  }

  func remove() {
    unsafe unlink(path)
    unsafe rmdir(directory)
  }

  private static var text: String {
    service + nameService + pods.map(pod).joined() + pool
  }

  private static let service = """
    apiVersion: v1
    kind: Service
    metadata:
      name: hostname-svc-lb
    spec:
      type: LoadBalancer
      ports:
      - name: webserver
        port: 8080
        targetPort: 18080
      selector:
        app: webserver
    ---

    """

  private static let nameService = """
    apiVersion: v1
    kind: Service
    metadata:
      name: name-svc-lb
    spec:
      type: LoadBalancer
      ports:
      - name: name
        port: 5300
        targetPort: 18080
      - name: name-udp
        protocol: UDP
        port: 5300
        targetPort: 18080
      selector:
        app: webserver
    ---

    """

  private static func pod(_ pod: Pod) -> String {
    """
    apiVersion: v1
    kind: Pod
    metadata:
      name: \(pod.name)
      labels:
        app: \(pod.app)
    status:
      phase: Running
      podIP: \(pod.address.address)
      conditions:
      - type: Ready
        status: "True"
    ---

    """
  }

  private static let pool = """
    apiVersion: metallb.io/v1beta1
    kind: IPAddressPool
    metadata:
      name: demo
      namespace: metallb-system
    spec:
      addresses:
      - 127.101.0.50-127.101.0.60

    """
}

extension SocketAddress {
  /// As bash(1) has it behind /dev/udp/.
  fileprivate var udpPath: String { "\(address)/\(port)" }
}
