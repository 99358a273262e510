import Admin
import ArgumentParser

/// `roadstead status`: what a running process serves.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what a running roadstead serves: services, pools, problems, limits.")

  /// How the state is printed.
  enum Form: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
  }

  @OptionGroup var admin: AdminOptions

  @Option(name: .customShort("o"), help: "A table for people, or the JSON as the process sent it.")
  var form = Form.table

  func run() throws {
    switch form {
    case .table: print(try admin.client.state().statusText(), terminator: "")
    case .json: print(String(decoding: try admin.client.stateJSON(), as: UTF8.self), terminator: "")
    }
  }
}
