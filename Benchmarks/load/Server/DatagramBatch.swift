import CLibEv

/// Slots for datagrams that a server receives and replies from.
@safe final class DatagramBatch {
  static let size = 64
  /// The most bytes of a datagram over IPv4.
  static let longest = 65_507

  // Allocated in init, freed in deinit; slots live as long.
  private let raw: OpaquePointer

  init() {
    guard let raw = unsafe cdatagram_batch_new(CInt(Self.size)) else { fatalError("out of memory for datagrams") }
    unsafe self.raw = raw
  }

  deinit { unsafe cdatagram_batch_free(raw) }

  /// How many slots were filled, or -1 with errno.
  func receive(from socket: CInt, most: Int) -> Int { Int(unsafe cdatagram_receive(raw, socket, 0, CInt(most))) }

  /// Sends slots to where they came from: how many were done, fewer with errno for the next one.
  func reply(_ slots: Range<Int>, on socket: CInt) -> Int {
    var sent = cdatagram_sent()
    // Each in a datagram of its own, as most servers do.
    var segmentLimit: CInt = 0
    return Int(unsafe cdatagram_reply(raw, socket, CInt(slots.lowerBound), CInt(slots.count), &segmentLimit, &sent))
  }

  private func slot(_ index: Int) -> UnsafeMutablePointer<cdatagram_slot> {
    precondition(index >= 0 && index < Self.size)
    return unsafe cdatagram_slot_at(raw, CInt(index))
  }

  /// How many datagrams a slot holds: several of one size where the kernel has put them together.
  func datagrams(in index: Int) -> Int { Int(unsafe cdatagram_count(slot(index))) }

  func length(of index: Int) -> Int { Int(unsafe slot(index).pointee.length) }

  /// The header that a slot begins with; nil when it has none.
  func header(of index: Int) -> Header? {
    let slot = unsafe slot(index)
    guard unsafe slot.pointee.length >= UInt32(Header.size) else { return nil }
    return unsafe Header.read(slot.pointee.data)
  }

  /// Makes a slot a reply of `length` bytes: what is in the slot, and behind it what earlier datagrams have left.
  func setLength(_ length: Int, of index: Int) {
    precondition(length >= 0 && length <= Self.longest)
    unsafe slot(index).pointee.length = UInt32(length)
    unsafe slot(index).pointee.segment = 0
  }

  /// Makes a slot the reply with two numbers after the header, 48 bytes long.
  func write(_ a: UInt64, _ b: UInt64, to index: Int) {
    guard let data = unsafe UnsafeMutableRawPointer(slot(index).pointee.data) else { return }
    unsafe data.storeBytes(of: a.bigEndian, toByteOffset: Header.size, as: UInt64.self)
    unsafe data.storeBytes(of: b.bigEndian, toByteOffset: Header.size + 8, as: UInt64.self)
    setLength(Header.size + 16, of: index)
  }
}
