import Addresses
import CLibNl
import Glibc

/// Puts addresses on interfaces and takes them away. Loop only.
///
/// Each call waits for the kernel's answer, 0.1 to 0.4 ms.
@safe struct AddressTable: ~Copyable {
  // Opened in init, freed in deinit.
  private let socket: OpaquePointer

  init() throws(AnnouncementObstacle) {
    var code: CInt = 0
    guard let socket = unsafe clibnl_open(&code) else {
      throw AnnouncementObstacle(netlink: code, family: .v4, interface: 0)
    }
    unsafe self.socket = socket
  }

  deinit { unsafe clibnl_close(socket) }

  /// Adds the address as that of a host, without a route, or renews it: unless that is done again, the kernel takes it
  /// away `lifetime` seconds from now.
  ///
  /// An IPv6 one is usable at once (IFA_F_NODAD) and never a source that the host chooses (preferred for 0 s). Renewing
  /// one that lapsed or was taken away adds it.
  func put(_ address: IPAddress, on index: CInt, lifetime: UInt32 = ClaimTimes.longestLifetime)
    throws(AnnouncementObstacle)
  {
    var raw = request(address, index)
    // All of them each time: what a renewal does not name is cleared.
    var flags: LinkAddress.Flags = .noPrefixRoute
    if address.family == .v6 { flags.insert(.noDAD) }
    raw.flags = flags.rawValue
    raw.valid = lifetime
    raw.preferred = address.family == .v4 ? lifetime : 0
    let code = unsafe clibnl_put_address(socket, &raw)
    guard code >= 0 else { throw AnnouncementObstacle(netlink: code, family: address.family, interface: index) }
  }

  /// Takes the address away. That it, or the interface, was not there is fine.
  func remove(_ address: IPAddress, from index: CInt) throws(AnnouncementObstacle) {
    var raw = request(address, index)
    let code = unsafe clibnl_remove_address(socket, &raw)
    switch -code {
    case ...0, NLE_NOADDR, NLE_NODEV: return
    // ENXIO, which libnl has no word for: an interface on which IPv6 was never started.
    case NLE_FAILURE where address.family == .v6: return
    default: throw AnnouncementObstacle(netlink: code, family: address.family, interface: index)
    }
  }

  private func request(_ address: IPAddress, _ index: CInt) -> clibnl_address {
    var raw = clibnl_address()
    raw.family = address.family == .v4 ? AF_INET : AF_INET6
    raw.prefix_length = CInt(address.family.bitCount)
    raw.interface = index
    let bytes = address.networkBytes
    unsafe withUnsafeMutableBytes(of: &raw.bytes) { unsafe $0.copyBytes(from: bytes) }
    return raw
  }
}

extension IPAddress {
  /// The 4 or 16 bytes, in the order of the wire.
  var networkBytes: [UInt8] {
    let count = family.bitCount / 8
    return (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (count - 1 - $0))) }
  }

  /// From 4 or 16 bytes in the order of the wire; nil for another number.
  init?(networkBytes bytes: some Sequence<UInt8>) {
    var bits: UInt128 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt128(byte)
      count += 1
    }
    switch count {
    case 4: self.init(v4: UInt32(truncatingIfNeeded: bits))
    case 16: self.init(v6: bits)
    default: return nil
    }
  }
}
