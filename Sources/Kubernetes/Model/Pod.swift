import Addresses

/// A Pod (core/v1), as far as a load balancer looks at it.
public struct Pod: Hashable, Sendable {
  public var metadata: ObjectMeta
  public var spec: Spec
  public var status: Status

  public init(metadata: ObjectMeta, spec: Spec = Spec(), status: Status = Status()) {
    self.metadata = metadata
    self.spec = spec
    self.status = status
  }

  /// Where the Pod runs and which ports it names (`spec`).
  public struct Spec: Hashable, Sendable {
    public var nodeName: String?
    /// The ports of all containers that keep running, in order; sidecar init containers count.
    public var ports: [ContainerPort]

    public init(nodeName: String? = nil, ports: [ContainerPort] = []) {
      self.nodeName = nodeName
      self.ports = ports
    }
  }

  /// One of `spec.containers[].ports`.
  public struct ContainerPort: Hashable, Sendable {
    public var name: String
    public var containerPort: UInt16
    public var `protocol`: IPProtocol

    public init(name: String = "", containerPort: UInt16, protocol: IPProtocol = .tcp) {
      self.name = name
      self.containerPort = containerPort
      self.protocol = `protocol`
    }
  }

  /// What the kubelet says of the Pod (`status`).
  public struct Status: Hashable, Sendable {
    /// nil where the manifest says nothing.
    public var phase: Phase?
    /// `podIPs`, or `podIP` where that is all there is.
    public var podIPs: [IPAddress]
    public var conditions: [Condition]

    public init(phase: Phase? = nil, podIPs: [IPAddress] = [], conditions: [Condition] = []) {
      self.phase = phase
      self.podIPs = podIPs
      self.conditions = conditions
    }
  }

  /// `status.phase`.
  public enum Phase: String, Hashable, Sendable, CaseIterable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
    case unknown = "Unknown"

    /// Whether the Pod will never run again.
    public var isTerminal: Bool { self == .succeeded || self == .failed }
  }

  /// The `Ready` condition; nil where the Pod has none.
  public var ready: Condition? { status.conditions.first { $0.type == "Ready" } }
}

extension Pod {
  private static let statusNames = FieldNames(
    """
    allocatedResources conditions containerStatuses ephemeralContainerStatuses extendedResourceClaimStatus hostIP \
    hostIPs initContainerStatuses message nominatedNodeName observedGeneration phase podIP podIPs qosClass reason \
    resize resourceClaimStatuses resources startTime
    """)
  private static let podIPNames = FieldNames("ip")

  init(_ fields: FieldReader, metadata: ObjectMeta) {
    let spec = fields.map("spec", Spec.fieldNames) { Spec($0) }
    let status = fields.map("status", Self.statusNames) { status in
      var addresses = status.maps("podIPs", Self.podIPNames) { $0.address("ip") }
      if addresses.isEmpty, let one = status.address("podIP") { addresses = [one] }
      return Status(
        phase: status.choice("phase", Phase.self), podIPs: addresses,
        conditions: status.maps("conditions", Condition.fieldNames) { Condition($0) })
    }
    self.init(metadata: metadata, spec: spec ?? Spec(), status: status ?? Status())
  }
}

extension Pod.Spec {
  static let fieldNames = FieldNames(
    """
    activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks \
    ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers hostname hostnameOverride \
    imagePullSecrets initContainers nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName \
    readinessGates resourceClaims resources restartPolicy runtimeClassName schedulerName schedulingGates \
    securityContext serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace subdomain \
    terminationGracePeriodSeconds tolerations topologySpreadConstraints volumes workloadRef
    """)
  private static let containerNames = FieldNames(
    """
    args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resizePolicy \
    resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce terminationMessagePath \
    terminationMessagePolicy tty volumeDevices volumeMounts workingDir
    """)
  private static let portNames = FieldNames("containerPort hostIP hostPort name protocol")

  init(_ fields: FieldReader) {
    func ports(_ container: FieldReader) -> [Pod.ContainerPort] {
      container.maps("ports", Self.portNames) { port in
        Pod.ContainerPort(
          name: port.string("name") ?? "",
          containerPort: UInt16(port.integer("containerPort", in: 1...65535, required: true) ?? 0),
          protocol: port.choice("protocol", IPProtocol.self) ?? .tcp)
      }
    }
    let containers = fields.maps("containers", Self.containerNames) { ports($0) }
    let sidecars = fields.maps("initContainers", Self.containerNames) { container in
      container.string("restartPolicy") == "Always" ? ports(container) : []
    }
    self.init(nodeName: fields.string("nodeName"), ports: (containers + sidecars).flatMap { $0 })
  }
}
