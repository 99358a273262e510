import Addresses

/// Reads fields in network byte order. The caller has checked that the bytes are there.
extension Span<UInt8> {
  func uint16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

  func mac(at offset: Int) -> MACAddress { MACAddress(bits: UInt64(number(at: offset, byteCount: 6))) }

  func v4(at offset: Int) -> IPAddress {
    IPAddress(v4: UInt32(truncatingIfNeeded: number(at: offset, byteCount: 4)))
  }

  func v6(at offset: Int) -> IPAddress { IPAddress(v6: number(at: offset, byteCount: 16)) }

  private func number(at offset: Int, byteCount: Int) -> UInt128 {
    var bits: UInt128 = 0
    for place in offset..<offset + byteCount { bits = bits << 8 | UInt128(self[place]) }
    return bits
  }
}

/// Writes fields in network byte order.
extension [UInt8] {
  mutating func append(uint16 number: UInt16) {
    append(UInt8(number >> 8))
    append(UInt8(truncatingIfNeeded: number))
  }

  mutating func append(_ mac: MACAddress) { append(contentsOf: mac.bytes) }

  /// Four bytes or sixteen, by the family.
  mutating func append(_ address: IPAddress) {
    for shift in stride(from: address.family.bitCount - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: address.bits >> UInt128(shift)))
    }
  }
}
