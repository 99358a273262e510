import ArgumentParser
import EventLoop

/// `roadstead-load upload`: bytes to the server.
struct UploadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upload", abstract: "Bytes to the server, which tells at the end how many came.")

  @OptionGroup var options: BulkOptions

  func run() throws { try measure(.up, options) }
}

/// `roadstead-load download`: bytes from the server.
struct DownloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "download", abstract: "Bytes from the server.")

  @OptionGroup var options: BulkOptions

  func run() throws { try measure(.down, options) }
}

/// `roadstead-load both`: bytes both ways at the same time.
struct BothCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "both", abstract: "Bytes both ways at the same time; the sum counts.")

  @OptionGroup var options: BulkOptions

  func run() throws { try measure(.both, options) }
}

/// What the three take.
struct BulkOptions: ParsableArguments {
  @Argument(help: "tcp://IP:PORT.", transform: { text throws in try Target.parse(text, schemes: [.tcp]) })
  var target: Target

  @OptionGroup var load: LoadOptions
}

extension ParsableCommand {
  fileprivate func measure(_ direction: Bulk.Direction, _ options: BulkOptions) throws {
    let (target, load) = (options.target, options.load)
    let loop = EventLoop()
    let bulk = Bulk(
      direction, target: target, concurrency: load.clients.concurrency, sources: try load.clients.sources(for: target))
    let run = Run(loop: loop, limits: load.limits, clients: load.clients.concurrency, work: bulk)
    bulk.populate(run)
    try measure(run, target: target)
  }
}
