import Addresses
import ArgumentParser

/// Where load goes, or is served: `tcp://IP:PORT`, `udp://IP:PORT` or `http://IP:PORT/PATH`.
struct Target: Sendable, CustomStringConvertible {
  enum Scheme: String, Sendable, CaseIterable {
    case tcp
    case udp
    case http
  }

  let scheme: Scheme
  let address: SocketAddress
  /// What to ask a web server for; empty for the others.
  var path = ""

  var description: String { "\(scheme.rawValue)://\(address)\(path)" }

  /// Parses the text of a command line. Port 0 is any that is free, for who listens.
  static func parse(
    _ text: String, schemes: [Scheme] = Scheme.allCases, isListened: Bool = false
  ) throws(ValidationError) -> Target {
    let names = schemes.map { "\($0.rawValue)://IP:PORT\($0 == .http ? "/PATH" : "")" }.joined(separator: " or ")
    guard let scheme = schemes.first(where: { text.hasPrefix("\($0.rawValue)://") }) else {
      throw ValidationError("must be \(names)")
    }
    var rest = text.dropFirst(scheme.rawValue.utf8.count + 3)
    var path = ""
    if scheme == .http {
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      path = slash == rest.endIndex ? "/" : String(rest[slash...])
      rest = rest[..<slash]
      guard path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
        throw ValidationError("has a path with characters that HTTP does not take")
      }
    }
    guard let address = SocketAddress(rest), address.port > 0 || isListened else {
      // Another port would do: so it is the port.
      if let colon = rest.lastIndex(of: ":"), SocketAddress(rest[...colon] + "1") != nil {
        let port = rest[rest.index(after: colon)...]
        throw ValidationError("has port '\(port)', which must be from \(isListened ? 0 : 1) to 65535")
      }
      throw ValidationError("must be \(names), with an IP address")
    }
    return Target(scheme: scheme, address: address, path: path)
  }
}
