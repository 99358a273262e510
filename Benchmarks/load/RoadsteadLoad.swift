import ArgumentParser
import EventLoop
import Glibc

@main struct RoadsteadLoad: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roadstead-load",
    abstract: "Puts load on TCP and UDP proxies, and is the server behind them.",
    subcommands: [
      ServeCommand.self, RoundTripsCommand.self, ConnectionsCommand.self, UploadCommand.self, DownloadCommand.self,
      BothCommand.self, StreamCommand.self, IdleCommand.self,
    ])

  static func main() {
    SignalWatcher.ignoreBrokenPipes()
    SignalWatcher.block([SIGTERM, SIGINT])
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      end(error)
    }
  }

  /// Says what is wrong in one line, or prints the help that was asked for.
  private static func end(_ error: any Error) -> Never {
    if let error = error as? Errno {
      Output.tell("\(error)")
      Glibc.exit(EXIT_FAILURE)
    }
    guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
    // The parser lists longer choices on lines of their own.
    let lines = message(for: error).split(separator: "\n")
    let choices = lines.dropFirst().map { $0.drop { " -".contains($0) } }
    Output.tell((lines.prefix(1) + choices).joined(separator: ", ") + " (see roadstead-load --help)")
    Glibc.exit(ExitCode.validationFailure.rawValue)
  }
}
