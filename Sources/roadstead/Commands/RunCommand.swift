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
  @OptionGroup var cluster: ClusterOptions
  @OptionGroup var targets: TargetOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Listen here, without Kubernetes: [tcp://|udp://]ADDRESS:PORT.", valueName: "address"),
    transform: { text throws in try ArgumentText.listen(text) })
  var listen: [ListenAddress] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Balance over these: ADDRESS:PORT[,weight=1-256].", valueName: "address"),
    transform: { text throws in try ArgumentText.endpoint(text) })
  var to: [Endpoint] = []

  @Option(help: "How --listen chooses among --to. Services say it by annotation roadstead.dev/balance.")
  var balance = BalancePolicy.roundRobin

  @Option(
    help: ArgumentHelp("Threads that carry traffic, 1 to 64. (default: one for each core)", valueName: "count"),
    transform: { text throws in try ArgumentText.shards(text) })
  var shards: Int?

  @Option(
    help: """
      Which addresses the network is told of, by ARP and neighbour discovery: auto is those that an L2Advertisement \
      selects, layer2 is all.
      """)
  var announce = AnnounceMode.auto

  @Option(
    help: ArgumentHelp(
      "How long an address is probed before it is taken, from 300ms to 10s. (default: 600ms)", valueName: "duration"),
    transform: { text throws in try ArgumentText.probeTime(text) })
  var probeTime = 0.6

  @OptionGroup var process: ProcessOptions

  @Option(
    help: ArgumentHelp(
      "Keep who has which address over restarts, in this directory. Made where its parent exists.",
      valueName: "directory"))
  var state: String?

  func run() async throws {
    // Not in validate(), which would come before an unknown flag is seen.
    if manifests.paths.isEmpty, listen.isEmpty, !cluster.isUsed {
      throw ValidationError(
        "nothing to serve: give -f PATH, --kubeconfig PATH or --in-cluster, or --listen and --to")
    }
    if to.isEmpty != listen.isEmpty {
      throw ValidationError("\(to.isEmpty ? "--to" : "--listen") is missing: --listen and --to belong together")
    }
    var options = ServingProcess.Options()
    options.manifests = manifests.paths
    options.resolver = cluster.isUsed ? cluster.resolver(targets) : targets.resolver
    options.cluster = try cluster.session()
    options.fixedPorts = listen.map { address in
      ServicePort(
        service: "-", transport: address.transport, listen: [address.address], endpoints: to, balance: balance)
    }
    options.shards = shards
    options.stateDirectory = state
    options.announce = announce
    options.probeTime = probeTime
    options.nodeName = targets.nodeName
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
    help: ArgumentHelp(
      "The admin port: ADDRESS:PORT, unix:PATH or none. (default: \(AdminAddress.standard))", valueName: "address"),
    transform: { text throws in try AdminAddress(text) })
  var admin = AdminAddress.standard

  @Option(
    help: ArgumentHelp("How long connections get to end at SIGTERM and SIGINT. (default: 30s)", valueName: "duration"),
    transform: { text throws in try DurationText.seconds(text) })
  var drain = 30.0

  @Option(help: "The least severe messages that are logged.")
  var logLevel = Logger.Level.info

  @Option(help: "How messages are logged, on standard error.")
  var logFormat = TextLogHandler.Format.text

  func apply(to options: inout ServingProcess.Options) {
    options.admin = admin
    options.drain = drain
    options.logLevel = logLevel
    options.logFormat = logFormat
  }
}
