import Addresses
import Admin
import ArgumentParser
import Balancing
import Kubernetes
import Logging

/// `roadstead run`: serve what the manifests say, or what `--listen` and `--to` name.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Serve Services of type LoadBalancer, or plain addresses.",
    discussion: """
      With -f, manifests are read, watched and served: each Service gets an address from an IPAddressPool. With \
      --listen and --to no Kubernetes is needed: every --listen is balanced over all --to.
      """)

  @OptionGroup var manifests: ManifestOptions
  @OptionGroup var targets: TargetOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Listen here, without Kubernetes: [tcp://|udp://]ADDRESS:PORT.", valueName: "address"))
  var listen: [ListenArgument] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Balance over these: ADDRESS:PORT[,weight=1-256].", valueName: "address"))
  var to: [ToAddress] = []

  @Option(help: "How --listen chooses among --to. Services say it by annotation roadstead.dev/balance.")
  var balance = BalancePolicy.roundRobin

  @Option(help: ArgumentHelp("Threads that carry traffic (default: one for each core).", valueName: "count"))
  var shards: Int?

  @OptionGroup var process: ProcessOptions

  @Option(
    help: ArgumentHelp(
      "Keep who has which address over restarts, in this directory. Made where its parent exists.",
      valueName: "directory"))
  var state: String?

  func run() async throws {
    // Not in validate(), which would come before an unknown flag is seen.
    if manifests.paths.isEmpty, listen.isEmpty {
      throw ValidationError("nothing to serve: give -f PATH, or --listen and --to")
    }
    if listen.isEmpty != to.isEmpty { throw ValidationError("--listen and --to belong together: one is missing") }
    if let shards, !(1...64).contains(shards) { throw ValidationError("--shards must be 1 to 64") }
    var options = ServingProcess.Options()
    options.manifests = manifests.paths
    options.resolver = targets.resolver
    options.fixedPorts = listen.map { address in
      ServicePort(
        service: "-", transport: address.address.transport, listen: [address.address.address],
        endpoints: to.map(\.endpoint), balance: balance)
    }
    options.shards = shards
    options.stateDirectory = state
    process.apply(to: &options)
    try await ServingProcess(options).serve()
  }
}

extension RunCommand: SignalTaking {
  static var signals: [CInt] { ServingProcess.signals }
}

/// What every serving command takes.
struct ProcessOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The admin port: ADDRESS:PORT, unix:PATH or none.", valueName: "address"),
    transform: { text throws in try AdminAddress(text) })
  var admin = AdminAddress.standard

  @Option(help: ArgumentHelp("How long connections get to end at SIGTERM.", valueName: "duration"))
  var drain = DurationArgument(seconds: 30, text: "30s")

  @Option(help: "The least severe messages that are logged.")
  var logLevel = Logger.Level.info

  @Option(help: "How messages are logged, on standard error.")
  var logFormat = TextLogHandler.Format.text

  func apply(to options: inout ServingProcess.Options) {
    options.admin = admin
    options.drain = drain.seconds
    options.logLevel = logLevel
    options.logFormat = logFormat
  }
}
