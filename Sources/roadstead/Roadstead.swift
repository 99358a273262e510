import ArgumentParser

@main struct Roadstead: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "roadstead", version: "0.1.0", subcommands: [RunCommand.self])
}
