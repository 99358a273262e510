import Addresses

extension AddressRequest {
  /// The annotation with which a Service asks for addresses, separated by commas.
  public static let addressesAnnotation = "metallb.io/loadBalancerIPs"
  /// The annotation whose value two Services must share to share an address.
  public static let sharingAnnotation = "metallb.io/allow-shared-ip"

  /// The addresses a Service asks for, by annotation or in `spec.loadBalancerIP`; having both is an error.
  ///
  /// What it throws belongs into ``AddressRequest/invalid``.
  public static func requestedAddresses(
    annotation: String?, loadBalancerIP: String?
  ) throws(AllocationRefusal) -> [IPAddress] {
    let field = loadBalancerIP ?? ""
    guard let annotation, !annotation.isEmpty else {
      return field.isEmpty ? [] : [try address(field)]
    }
    guard field.isEmpty else { throw .askedTwice(annotation: annotation, field: field) }
    var addresses: [IPAddress] = []
    for part in annotation.split(separator: ",", omittingEmptySubsequences: false) {
      addresses.append(try address(part))
    }
    return addresses
  }

  private static func address(_ text: some StringProtocol) throws(AllocationRefusal) -> IPAddress {
    let start = text.firstIndex { $0 != " " && $0 != "\t" } ?? text.endIndex
    let end = text.lastIndex { $0 != " " && $0 != "\t" }.map { text.index(after: $0) } ?? start
    let trimmed = String(text[start..<end])
    guard let address = IPAddress(trimmed) else { throw .notAnAddress(trimmed) }
    return address
  }
}
