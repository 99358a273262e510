import Glibc

/// Bytes that all connections of the process read into, or are sent from, one after the other.
///
/// A caller that waits keeps nothing here: the next one overwrites it.
@safe final class Buffer {
  /// As much as one call reads or writes of a stream: fits into a core's second cache.
  static let bulk = 256 << 10

  let size: Int
  // Allocated in init, freed in deinit; touched only within the methods, which check their ranges.
  private let raw: UnsafeMutableRawPointer

  /// Filled with a pattern whose period is a prime.
  init(size: Int) {
    precondition(size >= Header.size)
    self.size = size
    unsafe raw = .allocate(byteCount: size, alignment: 4096)
    for index in 0..<size { unsafe raw.storeBytes(of: UInt8(index % 251), toByteOffset: index, as: UInt8.self) }
  }

  deinit { unsafe raw.deallocate() }

  /// recv(2) to `offset`: how many bytes, 0 at the end, -1 with errno.
  func receive(from descriptor: CInt, at offset: Int = 0, most: Int = .max) -> Int {
    precondition(offset >= 0 && offset < size && most > 0)
    return unsafe recv(descriptor, raw + offset, min(size &- offset, most), 0)
  }

  /// send(2) of `count` bytes from `offset`: how many went, or -1 with errno.
  func send(to descriptor: CInt, from offset: Int, count: Int) -> Int {
    precondition(offset >= 0 && count >= 0 && offset <= size && count <= size &- offset)
    return unsafe Glibc.send(descriptor, raw + offset, count, CInt(MSG_NOSIGNAL))
  }

  /// The header at the beginning; nil when there is none.
  var header: Header? { unsafe Header.read(raw) }

  /// Makes the beginning a header.
  func write(_ header: Header) { unsafe header.write(to: raw) }

  /// Changes the sequence number of the header at the beginning.
  func writeSequence(_ sequence: UInt64) {
    unsafe raw.storeBytes(of: sequence.bigEndian, toByteOffset: 24, as: UInt64.self)
  }

  /// Whether the first `count` bytes are those of `other` from `offset`.
  func begins(as other: Buffer, from offset: Int, count: Int) -> Bool {
    precondition(offset >= 0 && count >= 0 && count <= size && offset <= other.size && count <= other.size &- offset)
    return unsafe memcmp(raw, other.raw + offset, count) == 0
  }

  /// The 8 bytes at the beginning as a number, big endian.
  var number: UInt64 {
    get { unsafe UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)) }
    set { unsafe raw.storeBytes(of: newValue.bigEndian, as: UInt64.self) }
  }

  /// The two numbers of 8 bytes that follow a header.
  var numbers: (UInt64, UInt64) {
    precondition(size >= Header.size + 16)
    return unsafe (
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: Header.size, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: Header.size + 8, as: UInt64.self))
    )
  }

  /// Calls `body` with the first `count` bytes, which are there as long as the call.
  @unsafe func withBytes<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    precondition(count >= 0 && count <= size)
    return unsafe body(UnsafeRawBufferPointer(start: raw, count: count))
  }

  /// A copy of `count` bytes, the first ones where no other `offset` is given.
  func copy(from offset: Int = 0, _ count: Int) -> [UInt8] {
    precondition(offset >= 0 && count >= 0 && offset <= size && count <= size &- offset)
    return unsafe [UInt8](UnsafeRawBufferPointer(start: raw + offset, count: count))
  }

  /// Puts bytes at the beginning.
  func write(_ bytes: [UInt8]) {
    precondition(bytes.count <= size)
    unsafe UnsafeMutableRawBufferPointer(start: raw, count: size).copyBytes(from: bytes)
  }
}
