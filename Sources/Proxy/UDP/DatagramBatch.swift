import Addresses
import CLibEv
import Glibc

/// Slots for datagrams that come or go together. Belongs to one shard.
@safe final class DatagramBatch {
  /// Slots in a batch.
  static let size = 64

  // Allocated in init, freed in deinit.
  private let raw: OpaquePointer
  // Part of it.
  private let slots: UnsafeMutablePointer<cdatagram_slot>

  init() {
    guard let raw = unsafe cdatagram_batch_new(CInt(Self.size)) else { fatalError("out of memory for datagrams") }
    unsafe self.raw = raw
    unsafe slots = cdatagram_slot_at(raw, 0)
  }

  deinit { unsafe cdatagram_batch_free(raw) }

  /// Receives into the `count` slots from `first`: how many were filled, or -1 with errno.
  func receive(from socket: CInt, first: Int = 0, count: Int = size) -> Int {
    Int(unsafe cdatagram_receive(raw, socket, CInt(first), CInt(count)))
  }

  /// Receives one datagram into a slot, from a socket that coalesces none: 1, or -1 with errno.
  func receiveOne(from socket: CInt, into index: Int) -> Int {
    Int(unsafe cdatagram_receive_one(raw, socket, CInt(index)))
  }

  /// What a call has sent.
  struct Sent {
    /// Slots that are done; fewer than asked for with `error` for the next one.
    let slots: Int
    let datagrams: Int
    let bytes: Int
    let error: CInt

    fileprivate init(_ count: CInt, of slots: Range<Int>, _ sent: cdatagram_sent) {
      self.slots = Int(count)
      datagrams = Int(sent.datagrams)
      bytes = Int(sent.bytes)
      error = self.slots < slots.count ? errno : 0
    }
  }

  /// Sends slots on a connected socket.
  func send(_ slots: Range<Int>, on socket: CInt, segmentLimit: inout CInt) -> Sent {
    var sent = cdatagram_sent()
    let count = unsafe cdatagram_send(
      raw, socket, CInt(slots.lowerBound), CInt(slots.count), &segmentLimit, &sent)
    return Sent(count, of: slots, sent)
  }

  /// Sends slots to their peers.
  func reply(_ slots: Range<Int>, on socket: CInt, segmentLimit: inout CInt) -> Sent {
    var sent = cdatagram_sent()
    let count = unsafe cdatagram_reply(
      raw, socket, CInt(slots.lowerBound), CInt(slots.count), &segmentLimit, &sent)
    return Sent(count, of: slots, sent)
  }

  /// UDP_SEGMENT is tried with every size.
  static let noSegmentLimit: CInt = 65_535

  private func slot(_ index: Int) -> UnsafeMutablePointer<cdatagram_slot> {
    precondition((0..<Self.size).contains(index), "no such slot")
    return unsafe slots + index
  }

  /// How many datagrams a slot holds: more than one where the kernel has put a flow's together.
  func datagrams(in index: Int) -> Int { Int(unsafe cdatagram_count(slot(index))) }

  func bytes(in index: Int) -> Int { Int(unsafe slot(index).pointee.length) }

  func isTruncated(_ index: Int) -> Bool { unsafe slot(index).pointee.is_truncated != 0 }

  /// The socket's count of datagrams without room, where the slot brings it.
  func droppedByKernel(_ index: Int) -> UInt32? {
    let slot = unsafe slot(index)
    return unsafe slot.pointee.has_dropped != 0 ? slot.pointee.dropped : nil
  }

  /// Where a slot came from.
  func peer(of index: Int) -> SocketAddress? {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var port: UInt16 = 0
    switch unsafe cdatagram_peer(slot(index), &high, &low, &port) {
    case 4: return SocketAddress(IPAddress(v4: UInt32(truncatingIfNeeded: low)), port: port)
    case 6: return SocketAddress(IPAddress(v6: UInt128(high) << 64 | UInt128(low)), port: port)
    default: return nil
    }
  }

  /// The address of this host that a slot's sender asked; nil unless the socket is bound to the wildcard.
  func local(of index: Int) -> IPAddress? {
    var high: UInt64 = 0
    var low: UInt64 = 0
    switch unsafe cdatagram_local(slot(index), &high, &low) {
    case 4: return IPAddress(v4: UInt32(truncatingIfNeeded: low))
    case 6: return IPAddress(v6: UInt128(high) << 64 | UInt128(low))
    default: return nil
    }
  }

  /// Whether two slots came from one peer to one address.
  func isSamePeer(_ a: Int, _ b: Int) -> Bool { unsafe cdatagram_same_peer(slot(a), slot(b)) != 0 }

  /// Where a slot is to go, and from which address.
  func setPeer(_ peer: Peer, of index: Int) {
    let slot = unsafe slot(index)
    unsafe slot.pointee.peer = peer.address
    unsafe slot.pointee.peer_length = peer.length
    unsafe slot.pointee.local_family = peer.localFamily
    unsafe slot.pointee.local_interface = peer.localInterface
    unsafe slot.pointee.local = peer.local
  }

  /// A client's address as the system has it, and the address that it asked.
  struct Peer {
    fileprivate let address: sockaddr_in6
    fileprivate let length: UInt32
    fileprivate let localFamily: CInt
    fileprivate let localInterface: UInt32
    fileprivate let local: in6_addr
  }

  /// Where a slot came from, to be kept.
  func rawPeer(of index: Int) -> Peer {
    let slot = unsafe slot(index)
    return unsafe Peer(
      address: slot.pointee.peer, length: slot.pointee.peer_length, localFamily: slot.pointee.local_family,
      localInterface: slot.pointee.local_interface, local: slot.pointee.local)
  }
}

/// How a socket's count of datagrams without room grows.
struct KernelDrops {
  private var last: UInt32 = 0

  /// How many are new, by a count that came with a datagram or was asked for; one that is older brings none.
  mutating func new(in total: UInt32) -> Int {
    let more = Int32(bitPattern: total &- last)
    guard more > 0 else { return 0 }
    last = total
    return Int(more)
  }

  /// The socket's count now; nil when the system does not tell.
  ///
  /// Asked for beside ``new(in:)``: a call of C inside of that would cost a check of exclusive access with each use.
  static func total(on socket: CInt) -> UInt32? {
    var total: UInt32 = 0
    return unsafe cdatagram_kernel_drops(socket, &total) == 0 ? total : nil
  }
}
