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

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("An open loop: so many requests a second, due at even distances.", valueName: "number"))
  var rate: Double?

  mutating func validate() throws {
    if let rate, !(rate > 0 && rate <= 1e7) { throw ValidationError("--rate must be above 0, and at most 10,000,000") }
  }

  func run() throws {
    try lengths.check(for: target)
    let loop = EventLoop()
    let crowd = Crowd(
      loop: loop,
      options: Crowd.Options(
        target: target, habit: rate == nil ? .asksAgain : .waitsForItsTurn, concurrency: load.clients.concurrency,
        requestLength: lengths.request, replyLength: lengths.reply, sources: try load.clients.sources(for: target)))
    let run = Run(
      loop: loop, limits: load.limits, clients: load.clients.concurrency, countsByDueTime: rate != nil, work: crowd)
    if let rate { crowd.pacer = try Pacer(run: run, rate: rate, clients: load.clients.concurrency) }
    crowd.populate(run)
    try measure(run, target: target)
  }
}
