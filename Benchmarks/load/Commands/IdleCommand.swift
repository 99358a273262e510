import ArgumentParser
import EventLoop

/// `roadstead-load idle`: connections or flows that do nothing.
struct IdleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "idle", abstract: "Open connections or flows, one round trip on each, and hold them until SIGTERM.",
    discussion: "Prints `holding N connections` once all are open.")

  @Argument(
    help: "tcp://IP:PORT, udp://IP:PORT or http://IP:PORT/PATH.",
    transform: { text throws in try Target.parse(text) })
  var target: Target

  @OptionGroup var load: LoadOptions
  @OptionGroup var lengths: LengthOptions

  mutating func validate() throws {
    if load.count != nil { throw ValidationError("--count has no meaning here: --concurrency says how many") }
    if load.warmUp > 0 { throw ValidationError("--warm-up has no meaning here") }
  }

  func run() throws {
    try lengths.check(for: target)
    let loop = EventLoop()
    let crowd = Crowd(
      loop: loop,
      options: Crowd.Options(
        target: target, habit: .stays, concurrency: load.concurrency, requestLength: lengths.request,
        replyLength: lengths.reply, sources: try load.sources(for: target)))
    var limits = load.limits
    limits.seconds = load.seconds ?? .infinity
    let run = Run(loop: loop, limits: limits, clients: load.concurrency, work: crowd)
    crowd.populate(run)
    try measure(run, target: target)
  }
}
