import ArgumentParser

@main struct Roadstead: AsyncParsableCommand {
  static let version = "0.1.0"
  static let configuration = CommandConfiguration(commandName: "roadstead", version: version, subcommands: [RunCommand.self])
}
