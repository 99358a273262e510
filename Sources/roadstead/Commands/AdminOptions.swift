import Admin
import ArgumentParser

/// Which running process to ask.
struct AdminOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The admin address of the process to ask: ADDR:PORT or unix:PATH.", valueName: "address"),
    transform: { text throws in try AdminAddress(text) })
  var admin = AdminAddress.standard

  var client: AdminClient { AdminClient(admin) }
}
