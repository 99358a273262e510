import ArgumentParser
import EventLoop

/// `roadstead-load stream`: datagrams one way.
struct StreamCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream", abstract: "Datagrams to the server, which tells at the end how many came.")

  @Argument(help: "udp://IP:PORT.", transform: { text throws in try Target.parse(text, schemes: [.udp]) })
  var target: Target

  @OptionGroup var load: LoadOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("A datagram's length, 32 at least.", valueName: "bytes"))
  var request = 1200

  @Option(parsing: .unconditional, help: ArgumentHelp("Datagrams a second, over all flows.", valueName: "number"))
  var rate = 10_000.0

  @Option(parsing: .unconditional, help: ArgumentHelp("Datagrams in one call, by UDP_SEGMENT.", valueName: "number"))
  var segments = 1

  mutating func validate() throws {
    guard (Header.size...DatagramBatch.longest).contains(request) else {
      throw ValidationError("--request must be from \(Header.size) to \(DatagramBatch.longest) bytes for a datagram")
    }
    if !(rate > 0 && rate <= 1e8) { throw ValidationError("--rate must be above 0, and at most 100,000,000") }
    guard (1...64).contains(segments) else { throw ValidationError("--segments must be from 1 to 64") }
    if segments * request > DatagramBatch.longest {
      throw ValidationError("--segments times --request must be at most \(DatagramBatch.longest) bytes")
    }
  }

  func run() throws {
    let loop = EventLoop()
    let stream = Stream(
      loop: loop,
      options: Stream.Options(
        target: target, concurrency: load.clients.concurrency, length: request, rate: rate, segments: segments,
        sources: try load.clients.sources(for: target)))
    let run = Run(loop: loop, limits: load.limits, clients: load.clients.concurrency, work: stream)
    try stream.populate(run)
    try measure(run, target: target)
  }
}
