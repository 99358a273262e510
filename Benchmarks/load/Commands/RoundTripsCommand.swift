import ArgumentParser
import EventLoop

/// `roadstead-load round-trips`: requests and replies over connections or flows that stay.
struct RoundTripsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "round-trips", abstract: "One request under way on each of some connections or flows.")

  @Argument(
    help: "tcp://IP:PORT, udp://IP:PORT or http://IP:PORT/PATH.",
    transform: { text throws in try Target.parse(text) })
  var target: Target

  @OptionGroup var load: LoadOptions
  @OptionGroup var lengths: LengthOptions

  func run() throws {
    try lengths.check(for: target)
    let loop = EventLoop()
    let crowd = Crowd(
      loop: loop,
      options: Crowd.Options(
        target: target, habit: .asksAgain, concurrency: load.concurrency, requestLength: lengths.request,
        replyLength: lengths.reply, sources: try load.sources(for: target)))
    let run = Run(loop: loop, limits: load.limits, clients: load.concurrency, work: crowd)
    crowd.populate(run)
    try measure(run, target: target)
  }
}
