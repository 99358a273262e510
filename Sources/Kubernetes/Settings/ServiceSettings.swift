import Addresses
import Balancing

/// What a Service's annotations ask for, beyond its spec: `roadstead.dev/*`, and MetalLB's.
public struct ServiceSettings: Hashable, Sendable {
  /// `roadstead.dev/balance`.
  public var balance = BalancePolicy.roundRobin
  /// `roadstead.dev/target`; nil: as the process was told.
  public var target: TargetPolicy?
  /// `roadstead.dev/connect-timeout`, `idle-timeout`, `half-closed-timeout`; in seconds.
  public var timeouts = Timeouts()
  /// `roadstead.dev/udp-idle-timeout`, in seconds.
  public var udpIdleTimeout = 60.0
  /// `metallb.io/loadBalancerIPs` or `spec.loadBalancerIP`: the addresses asked for, at most one of each family.
  public var requestedAddresses: [IPAddress] = []
  /// `metallb.io/address-pool`: the one pool that the address must come from.
  public var addressPool: String?
  /// `metallb.io/allow-shared-ip`: Services with the same key may share an address.
  public var sharingKey: String?

  /// Nothing asked for.
  public init() {}

  /// The settings of `service`; what is wrong with them is left at its default. See ``read(_:)``.
  public init(_ service: Service) { self = Self.read(service).settings }

  /// Something about one annotation that its author should know.
  public struct Finding: Hashable, Sendable {
    public var severity: ManifestProblem.Severity
    /// The annotation's full name.
    public var annotation: String
    public var message: String

    public init(_ severity: ManifestProblem.Severity, _ annotation: String, _ message: String) {
      self.severity = severity
      self.annotation = annotation
      self.message = message
    }
  }

  /// The settings of `service` and all that is wrong with its annotations, in the annotations' order.
  public static func read(_ service: Service) -> (settings: ServiceSettings, findings: [Finding]) {
    var reader = Reader()
    if let address = service.spec.loadBalancerIP { reader.settings.requestedAddresses = [address] }
    if !service.metadata.annotations.isEmpty { reader.read(service) }
    return (reader.settings, reader.findings)
  }
}

extension ServiceSettings {
  private static let prefix = "roadstead.dev/"
  private static let metallb = "metallb.io/"
  private static let metallbDeprecated = "metallb.universe.tf/"
  private static let metallbNames = ["address-pool", "allow-shared-ip", "ip-allocated-from-pool", "loadBalancerIPs"]
  private static let names = [
    "balance", "connect-timeout", "half-closed-timeout", "idle-timeout", "target", "udp-idle-timeout",
  ]
  // In the design, not in the program yet: named, so that nobody takes them for a typing mistake.
  private static let laterNames = [
    "drain-timeout", "health-check", "health-fall", "health-interval", "health-rise", "health-timeout",
    "max-connection-age", "max-connections", "max-connections-per-endpoint", "max-connections-per-source",
    "proxy-protocol", "slow-start",
  ]

  private struct Reader {
    var settings = ServiceSettings()
    var findings: [Finding] = []

    mutating func read(_ service: Service) {
      let annotations = service.metadata.annotations
      for (annotation, value) in annotations.sorted(by: { $0.key < $1.key }) {
        if annotation.hasPrefix(prefix) {
          readOwn(annotation, String(annotation.dropFirst(prefix.count)), value)
        } else if annotation.hasPrefix(metallb) {
          readMetalLB(annotation, String(annotation.dropFirst(metallb.count)), value, service)
        } else if annotation.hasPrefix(metallbDeprecated) {
          let name = String(annotation.dropFirst(metallbDeprecated.count))
          if metallbNames.contains(name) { warning(annotation, "is deprecated; use \(metallb)\(name)") }
          // The new name wins where both are given.
          if annotations[metallb + name] == nil { readMetalLB(annotation, name, value, service) }
        }
      }
    }

    private mutating func error(_ annotation: String, _ message: String) {
      findings.append(Finding(.error, annotation, message))
    }

    private mutating func warning(_ annotation: String, _ message: String) {
      findings.append(Finding(.warning, annotation, message))
    }

    private mutating func readOwn(_ annotation: String, _ name: String, _ value: String) {
      switch name {
      case "balance": if let policy = choice(annotation, value, BalancePolicy.allCases) { settings.balance = policy }
      case "target":
        if let target = choice(annotation, value, [TargetPolicy.pod, .nodePort]) { settings.target = target }
      case "connect-timeout": duration(annotation, value, \.timeouts.connect)
      case "idle-timeout": duration(annotation, value, \.timeouts.idle)
      case "half-closed-timeout": duration(annotation, value, \.timeouts.halfClosed)
      case "udp-idle-timeout": duration(annotation, value, \.udpIdleTimeout)
      case _ where laterNames.contains(name):
        warning(annotation, "is not supported by this version and has no effect")
      default: warning(annotation, "unknown annotation\(Suggestion.phrase(for: name, among: names + laterNames))")
      }
    }

    private mutating func choice<C: RawRepresentable>(_ annotation: String, _ value: String, _ all: [C]) -> C?
    where C.RawValue == String {
      if let choice = all.first(where: { $0.rawValue == value }) { return choice }
      let words = all.map(\.rawValue)
      let hint = Suggestion.phrase(for: value, among: words)
      error(annotation, "must be one of \(words.joined(separator: ", ")), not '\(value)'\(hint)")
      return nil
    }

    private mutating func duration(
      _ annotation: String, _ value: String, _ setting: WritableKeyPath<ServiceSettings, Double>
    ) {
      do throws(DurationText.ParseError) {
        let seconds = try DurationText.seconds(value)
        // libev's timers are no finer.
        guard seconds >= 0.001 else { return error(annotation, "must be at least 1ms, not '\(value)'") }
        settings[keyPath: setting] = seconds
      } catch let problem {
        error(annotation, "\(problem)")
      }
    }

    private mutating func readMetalLB(_ annotation: String, _ name: String, _ value: String, _ service: Service) {
      switch name {
      case "loadBalancerIPs": readAddresses(annotation, value, service)
      case "address-pool":
        if value.isEmpty { error(annotation, "must name a pool") } else { settings.addressPool = value }
      case "allow-shared-ip": settings.sharingKey = value.isEmpty ? nil : value
      // MetalLB's own note of where an address came from.
      case "ip-allocated-from-pool": break
      default: warning(annotation, "unknown annotation\(Suggestion.phrase(for: name, among: metallbNames))")
      }
    }

    private mutating func readAddresses(_ annotation: String, _ value: String, _ service: Service) {
      if service.spec.loadBalancerIP != nil {
        return error(annotation, "a Service cannot have both this annotation and spec.loadBalancerIP")
      }
      var addresses: [IPAddress] = []
      for part in value.split(separator: ",", omittingEmptySubsequences: false) {
        let text = part.filter { $0 != " " }
        guard let address = IPAddress(text) else {
          return error(annotation, "must be an IP address, or one of each family with a comma, not '\(value)'")
        }
        addresses.append(address)
      }
      guard addresses.count <= 2 else { return error(annotation, "asks for more than two addresses: '\(value)'") }
      guard Set(addresses.map(\.family)).count == addresses.count else {
        return error(annotation, "asks for two addresses of one family: '\(value)'")
      }
      settings.requestedAddresses = addresses
    }
  }
}

extension FieldReader {
  /// Reports what is wrong with the annotations of the Service that these are the fields of.
  func reportSettings(of service: Service) {
    guard !service.metadata.annotations.isEmpty else { return }
    for finding in ServiceSettings.read(service).findings {
      at("metadata") {
        at("annotations") {
          reading.at(.key(finding.annotation)) {
            let line = value("metadata")?["annotations"]?[finding.annotation]?.line ?? line
            reading.report(finding.severity, line, finding.message)
          }
        }
      }
    }
  }
}
