import Admin
import ArgumentParser
import Kubernetes

/// `roadstead explain`: why one Service is served as it is.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say which address a Service has, which endpoints take traffic, and why not the others.",
    discussion: "Asks a running process, or, with -f, plans from manifests alone what would be.")

  // One path a flag, unlike run's: the name that follows is no path.
  @Option(
    name: .customShort("f"), help: ArgumentHelp("A manifest file or directory; may be repeated.", valueName: "path"))
  var paths: [String] = []

  @OptionGroup var targets: TargetOptions
  @Option(help: "With -f: which addresses the network would be told of, as for run.")
  var announce = AnnounceMode.auto

  @OptionGroup var admin: AdminOptions

  @Argument(help: ArgumentHelp("The Service: NAME or NAMESPACE/NAME.", valueName: "[namespace/]name"))
  var name: String

  func run() throws {
    let text =
      paths.isEmpty ? try admin.client.state().explainText(name) : try planned().explainText(name, isRunning: false)
    print(text, terminator: "")
  }

  private func planned() -> AdminState {
    let loaded = ManifestLoader.load(paths)
    var resolver = targets.resolver
    resolver.listsMismatches = true
    var planner = Planner(resolver: resolver)
    return planner.plan(loaded.store, now: 0)
      .state(of: loaded, announcing: AnnouncementPlanner(mode: announce, nodeName: targets.nodeName))
  }
}
