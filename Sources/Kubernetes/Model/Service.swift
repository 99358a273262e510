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
}

extension Service {
  init(_ fields: FieldReader, metadata: ObjectMeta) {
    let spec = fields.map("spec", Spec.fieldNames, required: true) { Spec($0) }
    let status = fields.map("status", Status.fieldNames) { Status($0) }
    self.init(metadata: metadata, spec: spec ?? Spec(), status: status ?? Status())
    // Annotations are judged here, where their lines are known.
    fields.reportSettings(of: self)
  }
}
