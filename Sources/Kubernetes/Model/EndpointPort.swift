/// A port of an EndpointSlice, or of a subset of Endpoints.
public struct EndpointPort: Hashable, Sendable {
  /// The name of the Service port that it belongs to; empty where the Service's only port has none.
  public var name: String
  public var `protocol`: IPProtocol
  /// nil in an EndpointSlice means any port, which a load balancer cannot use.
  public var port: UInt16?

  public init(name: String = "", protocol: IPProtocol = .tcp, port: UInt16?) {
    self.name = name
    self.protocol = `protocol`
    self.port = port
  }
}

extension EndpointPort {
  static let fieldNames = FieldNames("appProtocol name port protocol")

  init(_ fields: FieldReader, isPortRequired: Bool) {
    self.init(
      name: fields.string("name") ?? "", protocol: fields.choice("protocol", IPProtocol.self) ?? .tcp,
      port: fields.integer("port", in: 1...65535, required: isPortRequired).map { UInt16($0) })
  }
}
