import Admin
import ArgumentParser

/// Which running process to ask.
struct AdminOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The admin port of the process to ask: ADDRESS:PORT or unix:PATH. (default: \(AdminAddress.standard))",
      valueName: "address"),
    transform: { text throws in try AdminAddress(text) })
  var admin = AdminAddress.standard

  var client: AdminClient { AdminClient(admin) }
}
