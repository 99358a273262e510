import Admin
import ArgumentParser
import EventLoop
import Glibc

@main struct Roadstead: AsyncParsableCommand {
  static let version = "0.1.0"
  static let configuration = CommandConfiguration(
    commandName: "roadstead",
    abstract: "A load balancer for bare-metal Kubernetes: external addresses, and the traffic to them.",
    version: version,
    subcommands: [
      RunCommand.self, CheckCommand.self, ExplainCommand.self, StatusCommand.self, BackendCommand.self,
      DemoCommand.self,
    ])

  /// Runs the command that the words name. Not `async`: signals are blocked before there is a second thread.
  static func main() {
    SignalWatcher.ignoreBrokenPipes()
    do {
      var command = try parseAsRoot()
      if let taker = command as? any SignalTaking { SignalWatcher.block(type(of: taker).signals) }
      guard let asynchronous = command as? any AsyncParsableCommand else { return try command.run() }
      let parcel = CommandParcel(command: asynchronous)
      Task.detached {
        do {
          var command = parcel.command
          try await command.run()
          Glibc.exit(ExitStatus.fine.rawValue)
        } catch {
          end(error)
        }
      }
      // Not dispatchMain: it waits with every signal unblocked.
      while true { pause() }
    } catch {
      end(error)
    }
  }

  /// Says what went wrong, or prints the help that was asked for, and exits with the status that goes with it.
  private static func end(_ error: any Error) -> Never {
    let failure: CommandFailure
    switch error {
    case let error as CommandFailure: failure = error
    case let error as AdminError: failure = CommandFailure(error)
    case let error as Errno: failure = CommandFailure(.system, "\(error)")
    default:
      // The parser's own code for this is 64 (sysexits.h).
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      failure = CommandFailure(.usage, "\(oneLine(message(for: error))) (see \(helpCommand))")
    }
    write("roadstead: \(failure)")
    Glibc.exit(failure.status.rawValue)
  }

  /// The parser lists longer choices on lines of their own.
  private static func oneLine(_ message: String) -> String {
    let lines = message.split(separator: "\n")
    guard let first = lines.first, lines.count > 1 else { return message }
    let choices = lines.dropFirst().map { $0.drop { " -".contains($0) } }
    return "\(first) \(choices.joined(separator: ", "))"
  }

  /// What to type for the help on what was typed.
  private static var helpCommand: String {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    let named = CommandLine.arguments.dropFirst().first { names.contains($0) }
    return "roadstead \(named.map { "\($0) " } ?? "")--help"
  }

  private static func write(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}

/// Carries a command, which is used by one thread at a time, to the thread that runs it.
private struct CommandParcel: @unchecked Sendable {
  let command: any AsyncParsableCommand
}

extension CommandFailure {
  /// A failure of the admin port, on either side of it.
  init(_ error: AdminError) {
    let status: ExitStatus =
      switch error.code {
      case .address: .usage
      case .name: .input
      case .inUse, .system, .unreachable, .answer: .system
      }
    self.init(status, error.description)
  }
}
