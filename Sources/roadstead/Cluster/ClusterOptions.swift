import ArgumentParser
import Glibc
import Kubernetes

/// Which API server is read and written, and as whom.
struct ClusterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Read Services from the API server that this kubeconfig names.", valueName: "path"))
  var kubeconfig: String?

  @Option(help: ArgumentHelp("The context of the kubeconfig. (default: its current one)", valueName: "name"))
  var context: String?

  @Flag(help: "Read Services from the API server of the cluster that this Pod runs in.")
  var inCluster = false

  @Option(
    help: ArgumentHelp(
      "Serve Services of this loadBalancerClass. (default: those without one)", valueName: "name"))
  var loadBalancerClass: String?

  @Option(help: "Where endpoints are read in the cluster: EndpointSlices, or Pods by the Services' selectors.")
  var endpoints = EndpointSource.slices

  @Option(
    help: ArgumentHelp(
      """
      The Lease that one of several instances holds, as NAMESPACE/NAME, or none for a single instance. (default: \
      roadstead, in the namespace of the Pod or the context)
      """, valueName: "lease"),
    transform: { text throws in try LeaseChoice(text) })
  var lease = LeaseChoice.standard

  @Option(
    help: ArgumentHelp("How long the Lease is good after its last renewal. (default: 15s)", valueName: "duration"),
    transform: { text throws in try DurationText.seconds(text) })
  var leaseDuration = 15.0

  @Option(
    help: ArgumentHelp(
      "How long its holder tries to renew before it calls the Lease unverified. (default: 10s)", valueName: "duration"),
    transform: { text throws in try DurationText.seconds(text) })
  var leaseRenewDeadline = 10.0

  @Option(
    help: ArgumentHelp("Between two tries to renew or take it. (default: 2s)", valueName: "duration"),
    transform: { text throws in try DurationText.seconds(text) })
  var leaseRetry = 2.0

  @Option(
    help: ArgumentHelp(
      "Who this instance is in Lease and events. (default: $POD_NAME, or the host's name, and a number)",
      valueName: "name"))
  var identity: String?

  /// Whether an API server is read at all.
  var isUsed: Bool { kubeconfig != nil || inCluster }

  func validate() throws {
    if kubeconfig != nil, inCluster { throw ValidationError("--kubeconfig and --in-cluster exclude each other") }
    if context != nil, kubeconfig == nil { throw ValidationError("--context belongs to --kubeconfig") }
    // The kernel's lifetimes are whole seconds, and an address must be gone when the Lease is over.
    guard leaseDuration >= 2, leaseDuration <= 3600 else {
      throw ValidationError("--lease-duration must be from 2s to 1h, not \(leaseDuration)s")
    }
    guard leaseRetry >= 0.1, leaseRetry < leaseRenewDeadline, leaseRenewDeadline < leaseDuration else {
      throw ValidationError("--lease-retry must be shorter than --lease-renew-deadline, and that than --lease-duration")
    }
  }

  /// The Lease, or nil without one.
  func settings(namespace: String?) -> LeaseSettings? {
    let place: (namespace: String, name: String)
    switch lease {
    case .none: return nil
    case .named(let namespace, let name): place = (namespace, name)
    case .standard: place = (namespace ?? "default", "roadstead")
    }
    var settings = LeaseSettings(namespace: place.namespace, name: place.name, identity: name)
    settings.duration = leaseDuration
    settings.renewDeadline = leaseRenewDeadline
    settings.retryPeriod = leaseRetry
    return settings
  }

  /// How endpoints are found in a cluster: without a word on it, at node ports from outside, at Pods from inside.
  func resolver(_ targets: TargetOptions) -> EndpointResolver {
    var resolver = targets.resolver
    if resolver.target == .auto, kubeconfig != nil { resolver.target = .nodePort }
    resolver.localGivesWay = lease != .none
    return resolver
  }

  /// What to read and write, and as whom; nil without an API server.
  func session() throws(CommandFailure) -> ClusterSession.Options? {
    guard isUsed else { return nil }
    let connection: ClusterConnection
    do {
      connection =
        if let kubeconfig {
          try KubeConfig.load(kubeconfig, context: context)
        } else {
          try InClusterConfig.load(environment: ProcessEnvironment.variables)
        }
    } catch {
      throw CommandFailure(.input, error.description)
    }
    var options = ClusterSession.Options(connection: connection, identity: name)
    if endpoints == .pods {
      options.kinds.insert(.pod)
      options.kinds.remove(.endpointSlice)
    }
    options.loadBalancerClass = loadBalancerClass
    options.lease = settings(namespace: connection.namespace)
    return options
  }

  /// Unique also where two instances run on one host.
  private var name: String { identity ?? "\(Self.hostName)-\(getpid())" }

  private static var hostName: String {
    if let pod = unsafe getenv("POD_NAME") { return unsafe String(cString: pod) }
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      // One byte is kept for the zero that a cut name would lack.
      guard let start = buffer.baseAddress, unsafe gethostname(start, 255) == 0 else { return "roadstead" }
      unsafe start[255] = 0
      return unsafe String(cString: start)
    }
  }
}

/// `--endpoints`.
enum EndpointSource: String, CaseIterable, ExpressibleByArgument {
  case slices, pods
}

/// `--lease`.
enum LeaseChoice: Hashable, Sendable {
  case standard
  case none
  case named(namespace: String, name: String)

  init(_ text: String) throws(ValidationError) {
    if text == "none" { self = .none; return }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts.contains("") else {
      throw ValidationError("must be NAMESPACE/NAME or none, not '\(text)'")
    }
    self = .named(namespace: parts[0], name: parts[1])
  }
}
