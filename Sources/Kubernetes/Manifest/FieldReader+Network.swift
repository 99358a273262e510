import Addresses

extension FieldReader {
  /// An IP address; an empty string is none, as in the API.
  func address(_ key: String, required: Bool = false) -> IPAddress? {
    guard let text = string(key, required: required), let value = value(key) else { return nil }
    if text.isEmpty {
      if required { error(key, "must be an IP address, not ''") }
      return nil
    }
    return at(key) { address(value) }
  }

  /// An IP address in a list.
  func address(_ value: MarkedValue) -> IPAddress? {
    guard let text = text(value) else { return nil }
    if let address = IPAddress(text) { return address }
    reading.error(value.line, "must be an IP address, not '\(text)'")
    return nil
  }

  /// An address and a prefix length, in a list.
  func prefix(_ value: MarkedValue) -> IPPrefix? {
    guard let text = text(value) else { return nil }
    // The API allows spaces around these.
    let trimmed = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    if let prefix = IPPrefix(trimmed) { return prefix }
    reading.error(value.line, "must be an address and a prefix length as 10.0.0.0/8, not '\(text)'")
    return nil
  }

  /// A range or a prefix of addresses, in a list.
  func range(_ value: MarkedValue) -> IPRange? {
    guard let text = text(value) else { return nil }
    do throws(IPRange.ParseError) {
      let range = try IPRange(parsing: text)
      if IPPrefix.hasHostBits(text) {
        reading.report(.warning, value.line, "'\(text)' is taken as the whole of \(range)")
      }
      return range
    } catch {
      reading.error(value.line, "\(error)")
      return nil
    }
  }

  /// A name of at most 63 of a-z, 0-9 and `-` (RFC 1123).
  func dnsLabel(_ key: String) -> String? {
    guard let text = string(key), !text.isEmpty else { return nil }
    if ObjectName.isLabel(text) { return text }
    error(key, "must be at most 63 of a-z, 0-9 and '-', begun and ended by a letter or digit, not '\(text)'")
    return nil
  }
}
