import ArgumentParser
import EventLoop
import Glibc

/// `roadstead-load serve`: the server of all works.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Answer what the works ask, until SIGTERM.",
    discussion: "Prints a line for each target once it listens there; port 0 is any that is free.")

  @Argument(
    help: "tcp://IP:PORT or udp://IP:PORT, as many as wanted.",
    transform: { text throws in try Target.parse(text, schemes: [.tcp, .udp], isListened: true) })
  var targets: [Target]

  @Flag(help: "Take a flow's datagrams together where they came together (UDP_GRO), as QUIC's servers do.")
  var gro = false

  func run() throws {
    _ = OpenFiles.raised()
    let loop = EventLoop()
    let signals = try SignalWatcher(loop: loop, signals: [SIGTERM, SIGINT]) { _ in loop.stop() }
    var servers: [EventHandler] = []
    for target in targets {
      do {
        if target.scheme == .tcp {
          let server = try TCPServer(loop: loop, on: target.address)
          servers.append(server)
          Output.print("serving tcp://\(server.address ?? target.address)")
        } else {
          let server = try UDPServer(loop: loop, on: target.address, coalesces: gro)
          servers.append(server)
          Output.print("serving udp://\(server.address ?? target.address)")
        }
      } catch {
        Output.tell("\(target): \(error)")
        throw ExitCode.failure
      }
    }
    withExtendedLifetime((signals, servers)) { loop.run() }
  }
}
