import Addresses

/// A Service (core/v1).
public struct Service: Hashable, Sendable {
  public var metadata: ObjectMeta
  public var spec: Spec
  public var status: Status

  public init(metadata: ObjectMeta, spec: Spec, status: Status = Status()) {
    self.metadata = metadata
    self.spec = spec
    self.status = status
  }

  /// Whether it is for this process: of type LoadBalancer, and of exactly this class (nil: of none).
  public func isOurs(loadBalancerClass: String? = nil) -> Bool {
    spec.type == .loadBalancer && spec.loadBalancerClass == loadBalancerClass
  }

  /// What the last owner of the Service wrote back (`status`).
  public struct Status: Hashable, Sendable {
    /// `status.loadBalancer.ingress`.
    public var ingress: [Ingress]

    public init(ingress: [Ingress] = []) { self.ingress = ingress }
  }

  /// One address that the Service was given.
  public struct Ingress: Hashable, Sendable {
    public var ip: IPAddress?
    public var hostname: String?
    /// `VIP` or `Proxy`; nil where the API server dropped it (before Kubernetes 1.29).
    public var ipMode: String?

    public init(ip: IPAddress? = nil, hostname: String? = nil, ipMode: String? = nil) {
      self.ip = ip
      self.hostname = hostname
      self.ipMode = ipMode
    }
  }
}

extension Service {
  private static let statusNames = FieldNames("conditions loadBalancer")
  private static let loadBalancerNames = FieldNames("ingress")
  private static let ingressNames = FieldNames("hostname ip ipMode ports")

  init(_ fields: FieldReader, metadata: ObjectMeta) {
    let spec = fields.map("spec", Spec.fieldNames, required: true) { Spec($0) }
    let status = fields.map("status", Self.statusNames) { status in
      let ingress = status.map("loadBalancer", Self.loadBalancerNames) { balancer in
        balancer.maps("ingress", Self.ingressNames) { one in
          Ingress(ip: one.address("ip"), hostname: one.string("hostname"), ipMode: one.string("ipMode"))
        }
      }
      return Status(ingress: ingress ?? [])
    }
    self.init(metadata: metadata, spec: spec ?? Spec(), status: status ?? Status())
    // Annotations are judged here, where their lines are known.
    fields.reportSettings(of: self)
  }
}
