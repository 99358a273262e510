extension Service {
  /// One of `spec.ports`.
  public struct Port: Hashable, Sendable {
    /// Empty where the Service has one port without a name.
    public var name: String
    public var `protocol`: IPProtocol
    /// Where clients connect to.
    public var port: UInt16
    /// The port of the Pods; ``port`` where the manifest says nothing.
    public var targetPort: IntOrString
    /// The port of every node; nil where none is allocated.
    public var nodePort: UInt16?
    public var appProtocol: String?

    public init(
      name: String = "", protocol: IPProtocol = .tcp, port: UInt16, targetPort: IntOrString? = nil,
      nodePort: UInt16? = nil, appProtocol: String? = nil
    ) {
      self.name = name
      self.protocol = `protocol`
      self.port = port
      self.targetPort = targetPort ?? .int(port)
      self.nodePort = nodePort
      self.appProtocol = appProtocol
    }
  }
}

extension Service.Port {
  static let fieldNames = FieldNames("appProtocol name nodePort port protocol targetPort")

  init(_ fields: FieldReader) {
    let kind = fields.choice("protocol", IPProtocol.self) ?? .tcp
    if kind == .sctp { fields.warning("protocol", "SCTP is not supported; this port is not served") }
    let port = fields.integer("port", in: 1...65535, required: true)
    let target = fields.value("targetPort").flatMap { value in
      fields.at("targetPort") { IntOrString(value, fields.reading) }
    }
    self.init(
      name: fields.dnsLabel("name") ?? "", protocol: kind, port: UInt16(port ?? 0), targetPort: target,
      // The API writes 0 for none.
      nodePort: fields.integer("nodePort", in: 0...65535).flatMap { $0 == 0 ? nil : UInt16($0) },
      appProtocol: fields.string("appProtocol"))
  }
}
