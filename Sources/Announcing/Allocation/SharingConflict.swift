/// Why an address that a Service holds cannot be shared with another.
public enum SharingConflict: Hashable, Sendable {
  /// The holder, or the Service that asks, has no sharing key.
  case exclusive(holder: ServiceName)
  /// Both have a sharing key, but not the same.
  case otherKey(holder: ServiceName, key: String)
  /// With `externalTrafficPolicy: Local` on either side, both need it and the same selector.
  case otherSelector(holder: ServiceName)
  /// The holder has the port already.
  case portTaken(AddressRequest.Port, holder: ServiceName)
}

extension SharingConflict {
  /// The Service in the way; where several hold the address, one of them, always the same.
  public var holder: ServiceName {
    switch self {
    case .exclusive(let holder), .otherKey(let holder, _), .otherSelector(let holder), .portTaken(_, let holder): holder
    }
  }
}

extension SharingConflict: CustomStringConvertible {
  /// To follow "is held by": `default/web, and …`.
  public var description: String {
    switch self {
    case .exclusive(let holder):
      "\(holder), and to share it both need the same \(AddressRequest.sharingAnnotation)"
    case .otherKey(let holder, let key):
      "\(holder), whose \(AddressRequest.sharingAnnotation) is '\(key)'"
    case .otherSelector(let holder):
      "\(holder), and with externalTrafficPolicy Local all sharers need it and the same selector"
    case .portTaken(let port, let holder):
      "\(holder), which has \(port) on it"
    }
  }
}
