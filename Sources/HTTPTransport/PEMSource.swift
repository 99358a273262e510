/// PEM text (RFC 7468), by name or by value. A file is read anew for each connection.
public enum PEMSource: Hashable, Sendable {
  case file(String)
  case bytes([UInt8])
}

// What is in it may be a private key: neither printing nor dump(_:) shows it.
extension PEMSource: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String {
    switch self {
    case .file(let path): path
    case .bytes(let bytes): "\(bytes.count) bytes"
    }
  }

  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
