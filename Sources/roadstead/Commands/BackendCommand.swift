import Addresses
import Admin
import ArgumentParser
import EventLoop
import Glibc
import Kubernetes

/// `roadstead backend`: a tiny pod that says its name.
struct BackendCommand: ParsableCommand, SignalTaking {
  static let configuration = CommandConfiguration(
    commandName: "backend",
    abstract: "Answer HTTP requests and UDP datagrams with a name: a tiny pod for labs and tests.")

  static let signals = [SIGTERM, SIGINT]

  @Argument(
    help: ArgumentHelp("Where to listen; several are one pod.", valueName: "address:port"),
    transform: { text throws in
      guard let address = SocketAddress(text) else { throw ValidationError("must be IP:PORT or [IPV6]:PORT") }
      return address
    })
  var addresses: [SocketAddress]

  @Option(help: ArgumentHelp("What it says, and a newline.", valueName: "name"))
  var name: String

  @Flag(help: "Send UDP datagrams back instead.")
  var echo = false

  @Option(
    help: ArgumentHelp("Answer HTTP so much later, as 200ms.", valueName: "duration"),
    transform: { text throws in try DurationText.seconds(text) })
  var delay = 0.0

  func run() throws {
    let loop = EventLoop()
    let routes = routes(on: loop)
    // A backend is to be the lesser of what is measured or tried with it: the system's limits, and no own ones.
    let descriptors = OpenFiles.raised()
    let limits = HTTPServer.Limits(
      idleSeconds: 75, connections: UInt32(clamping: max(descriptors - 64, 64) / UInt64(addresses.count)),
      connectionsPerAddress: 0)
    let servers = try addresses.map { try HTTPServer(loop: loop, address: .tcp($0), routes: routes, limits: limits) }
    let answer = echo ? DatagramAnswers.Answer.echo : .bytes(Array("\(name)\n".utf8))
    let datagrams = try servers.compactMap { server in
      // With the port that the kernel chose for TCP.
      guard case .tcp(let address) = server.address else { return DatagramAnswers?.none }
      return try DatagramAnswers(loop: loop, address: address, answer: answer)
    }
    let signals = try SignalWatcher(loop: loop, signals: Self.signals) { _ in loop.stop() }
    for server in servers { print("backend \(name) listening on \(server.address)") }
    // Whoever started it may wait for these lines, through a pipe.
    fflush(nil)
    withExtendedLifetime((servers, datagrams, signals)) { loop.run() }
    for server in servers { server.stop() }
  }

  private func routes(on loop: EventLoop) -> RouteTable {
    let response = HTTPResponse.text(name)
    var routes = RouteTable()
    guard delay > 0 else {
      routes.routeEverythingElse { _, responder in responder.respond(response) }
      return routes
    }
    let seconds = delay
    let late = LoopBound(loop) { LateAnswers(loop: $0, response: response, seconds: seconds) }
    routes.routeEverythingElse { _, responder in late.submit { $0.answer(responder) } }
    return routes
  }
}
