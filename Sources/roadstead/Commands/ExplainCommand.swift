import Admin
import ArgumentParser

/// `roadstead explain`: why one Service is served as it is.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say which address a Service has, which endpoints take traffic, and why not the others.")

  @OptionGroup var admin: AdminOptions

  @Argument(help: ArgumentHelp("The Service: NAME or NAMESPACE/NAME.", valueName: "[namespace/]name"))
  var name: String

  func run() throws { print(try admin.client.state().explainText(name), terminator: "") }
}
