/// A run of addresses of one family, both ends included: `10.101.0.50-10.101.0.60`.
public struct IPRange: Hashable, Sendable {
  public let first: IPAddress
  public let last: IPAddress

  /// Nil when the ends are of two families or in the wrong order.
  public init?(first: IPAddress, last: IPAddress) {
    guard first.family == last.family, first <= last else { return nil }
    self.first = first
    self.last = last
  }

  /// Why a text is not a range.
  public enum ParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A lone address; MetalLB wants `/32` or `/128` and so do we.
    case bareAddress(IPAddress)
    case notAnAddress(String)
    case notAPrefixLength(String)
    case mixedFamilies
    case reversed(first: IPAddress, last: IPAddress)

    public var description: String {
      switch self {
      case .bareAddress(let address):
        "a single address is written \(address)/\(address.family.bitCount)"
      case .notAnAddress(let text): "'\(text)' is not an IP address"
      case .notAPrefixLength(let text): "'\(text)' is not a prefix length of its address family"
      case .mixedFamilies: "the range mixes IPv4 and IPv6"
      case .reversed(let first, let last): "the range is reversed: \(first) is above \(last)"
      }
    }
  }

  /// Parses `first-last` (spaces around either are ignored) or `address/length`.
  public init(parsing text: some StringProtocol) throws(ParseError) {
    let text = Self.trimmed(text)
    if let dash = text.firstIndex(of: "-") {
      let first = try Self.address(text[..<dash])
      let last = try Self.address(text[text.index(after: dash)...])
      guard first.family == last.family else { throw .mixedFamilies }
      guard let range = IPRange(first: first, last: last) else { throw .reversed(first: first, last: last) }
      self = range
    } else if let slash = text.firstIndex(of: "/") {
      _ = try Self.address(text[..<slash])
      guard let prefix = IPPrefix(text) else {
        throw .notAPrefixLength(String(text[text.index(after: slash)...]))
      }
      self = prefix.range
    } else {
      throw .bareAddress(try Self.address(text))
    }
  }

  private static func address(_ text: some StringProtocol) throws(ParseError) -> IPAddress {
    let text = trimmed(text)
    guard let address = IPAddress(text) else { throw .notAnAddress(text) }
    return address
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let start = text.firstIndex { !isSpace($0) } ?? text.endIndex
    let end = text.lastIndex { !isSpace($0) }.map { text.index(after: $0) } ?? start
    return String(text[start..<end])
  }

  public var family: IPAddress.Family { first.family }

  /// How many addresses; UInt128.max for the whole of IPv6, which has one more.
  public var count: UInt128 {
    let span = last.bits - first.bits
    return span == .max ? .max : span + 1
  }

  public func contains(_ address: IPAddress) -> Bool { first <= address && address <= last }

  /// Whether the two share an address.
  public func overlaps(_ other: IPRange) -> Bool {
    family == other.family && first <= other.last && other.first <= last
  }
}

extension IPRange: CustomStringConvertible {
  public var description: String { "\(first)-\(last)" }
}
