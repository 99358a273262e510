/// What Kubernetes accepts as names.
enum ObjectName {
  /// RFC 1123 label: at most 63 of a-z, 0-9 and `-`, begun and ended by a letter or digit.
  static func isLabel(_ text: some StringProtocol) -> Bool {
    text.utf8.count <= 63 && isPart(text)
  }

  private static func isPart(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, let last = bytes.reversed().first else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
  }

  /// RFC 1123 subdomain: parts as labels, joined by dots, at most 253 bytes.
  ///
  /// A part may be longer than 63 bytes, as in Kubernetes itself: an EndpointSlice's name is its Service's and six
  /// bytes more.
  static func isSubdomain(_ text: String) -> Bool {
    text.utf8.count <= 253 && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isPart($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: false
    }
  }
}
