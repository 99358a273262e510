import Glibc

/// Datagrams of one flow and one length, behind one another, as one call sends them (UDP_SEGMENT, udp(7)).
@safe final class SegmentTrain {
  let length: Int
  let segments: Int
  // Allocated in init, freed in deinit; segments times length bytes.
  private let raw: UnsafeMutableRawPointer

  init(length: Int, segments: Int) {
    precondition(length >= Header.size && segments > 0)
    self.length = length
    self.segments = segments
    unsafe raw = .allocate(byteCount: length * segments, alignment: 4096)
    for index in 0..<length * segments {
      unsafe raw.storeBytes(of: UInt8(index % 251), toByteOffset: index, as: UInt8.self)
    }
    let header = Header(requestLength: UInt64(length), replyLength: 0)
    for segment in 0..<segments { unsafe header.write(to: raw + segment * length) }
  }

  deinit { unsafe raw.deallocate() }

  /// Sends the first `count`, numbered from `sequence`: how many bytes went, or -1 with errno.
  func send(_ count: Int, from sequence: UInt64, to descriptor: CInt) -> Int {
    precondition(count > 0 && count <= segments)
    for segment in 0..<count {
      let number = (sequence &+ UInt64(segment)).bigEndian
      unsafe raw.storeBytes(of: number, toByteOffset: segment &* length &+ 24, as: UInt64.self)
    }
    return unsafe Glibc.send(descriptor, raw, count &* length, CInt(MSG_NOSIGNAL))
  }
}
