import ArgumentParser
import EventLoop

/// `roadstead-load connections`: connect, request, reply, close, and again.
struct ConnectionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connections", abstract: "New connections, one request on each.")

  /// Who closes first.
  enum Closer: String, ExpressibleByArgument, CaseIterable {
    case client
    case server
  }

  @Argument(
    help: "tcp://IP:PORT or http://IP:PORT/PATH.",
    transform: { text throws in try Target.parse(text, schemes: [.tcp, .http]) })
  var target: Target

  @OptionGroup var load: LoadOptions
  @OptionGroup var lengths: LengthOptions

  @Option(help: "Who closes first, and so keeps the connection's port for a minute.")
  var closes = Closer.client

  func run() throws {
    try lengths.check(for: target)
    let loop = EventLoop()
    let sources = try load.clients.sources(for: target) ?? .forConnections(to: target)
    let crowd = Crowd(
      loop: loop,
      options: Crowd.Options(
        target: target, habit: closes == .client ? .closes : .awaitsClose, concurrency: load.clients.concurrency,
        requestLength: lengths.request, replyLength: lengths.reply, sources: sources))
    let run = Run(loop: loop, limits: load.limits, clients: load.clients.concurrency, work: crowd)
    crowd.populate(run)
    try measure(run, target: target)
  }
}
