import CLibEv
import Glibc

/// Bytes that were received and could not be sent at once: a block of the pool, or a small copy.
@safe struct WaitingBytes {
  // Owned by the relay that holds this value, until release(to:).
  private let base: UnsafeMutableRawPointer
  private var start: UInt32
  private let end: UInt32
  private let isBlock: Bool

  // Up to this a copy is cheaper than parting with a block.
  private static let copyLimit = 16 * 1024

  /// Takes `range` of the scratch over.
  init(scratchOf pool: BufferPool, range: Range<Int>) {
    if range.count <= Self.copyLimit {
      unsafe base = .allocate(byteCount: range.count, alignment: 1)
      unsafe base.copyMemory(from: pool.scratch + range.lowerBound, byteCount: range.count)
      start = 0
      end = UInt32(range.count)
      isBlock = false
    } else {
      unsafe base = pool.takeScratch()
      start = UInt32(range.lowerBound)
      end = UInt32(range.upperBound)
      isBlock = true
    }
  }

  var isEmpty: Bool { start == end }

  /// Sends as much as `sink` takes: the bytes it took, or -1 with errno.
  mutating func send(to sink: CInt) -> Int {
    let sent = unsafe Glibc.send(sink, base + Int(start), Int(end - start), Int32(MSG_NOSIGNAL))
    if sent > 0 { start += UInt32(sent) }
    return sent
  }

  /// Gives the memory back. The value must not be used again.
  consuming func release(to pool: BufferPool) {
    if isBlock { unsafe pool.release(base) } else { unsafe base.deallocate() }
  }
}
