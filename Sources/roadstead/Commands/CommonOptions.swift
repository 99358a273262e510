import ArgumentParser
import Kubernetes

/// Where manifests are read from.
struct ManifestOptions: ParsableArguments {
  @Option(
    name: .customShort("f"), parsing: .upToNextOption,
    help: ArgumentHelp("Manifest files or directories.", valueName: "path"))
  var paths: [String] = []
}

/// What Services' traffic is sent to.
struct TargetOptions: ParsableArguments {
  @Option(help: "What traffic is sent to: pods, or the node ports of all nodes. auto is pods where any are known.")
  var target = TargetPolicy.auto

  @Option(
    help: ArgumentHelp(
      """
      The node this process runs on, for externalTrafficPolicy: Local and for nodeSelectors of L2Advertisements.
      """, valueName: "name"))
  var nodeName: String?

  var resolver: EndpointResolver { EndpointResolver(target: target, nodeName: nodeName) }
}

extension TargetPolicy: ExpressibleByArgument {}
