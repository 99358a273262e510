import ArgumentParser
@main struct Roadstead: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "roadstead", version: "0.1.0")
}
