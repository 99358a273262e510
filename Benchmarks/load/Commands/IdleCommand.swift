import ArgumentParser
import EventLoop

/// `roadstead-load idle`: connections or flows that do nothing.
struct IdleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "idle", abstract: "Open connections or flows, one round trip on each, and hold them.",
    discussion: """
      Prints `holding N connections` once all are open, and holds them until SIGTERM or SIGINT, or for `--seconds` in all \
      where that is given.
      """)

  @Argument(
    help: "tcp://IP:PORT, udp://IP:PORT or http://IP:PORT/PATH.",
    transform: { text throws in try Target.parse(text) })
  var target: Target

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Hold them no longer, counted from the start. (default: for ever)", valueName: "seconds"))
  var seconds: Double?

  @OptionGroup var clients: ClientOptions
  @OptionGroup var lengths: LengthOptions

  mutating func validate() throws {
    if let seconds { try Limits.check(seconds: seconds) }
  }

  func run() throws {
    try lengths.check(for: target)
    let loop = EventLoop()
    let crowd = Crowd(
      loop: loop,
      options: Crowd.Options(
        target: target, habit: .stays, concurrency: clients.concurrency, requestLength: lengths.request,
        replyLength: lengths.reply, sources: try clients.sources(for: target)))
    let limits = Limits(seconds: seconds ?? .infinity, watched: clients.watchCPU)
    let run = Run(loop: loop, limits: limits, clients: clients.concurrency, work: crowd)
    crowd.populate(run)
    try measure(run, target: target)
  }
}
