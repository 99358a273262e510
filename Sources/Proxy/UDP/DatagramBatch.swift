import Addresses
import CLibEv
import Glibc

/// Slots for datagrams that come or go together. Belongs to one shard.
@safe final class DatagramBatch {
  /// Slots in a batch.
  static let size = 64

  // Allocated in init, freed in deinit.
  private let raw: OpaquePointer

  init() {
    guard let raw = unsafe cdatagram_batch_new(CInt(Self.size)) else { fatalError("out of memory for datagrams") }
    unsafe self.raw = raw
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

  /// Sends slots on a connected socket: how many went; fewer than asked for with errno.
  func send(_ slots: Range<Int>, on socket: CInt, allowSegments: inout CInt) -> Int {
    Int(unsafe cdatagram_send(raw, socket, CInt(slots.lowerBound), CInt(slots.count), &allowSegments))
  }

  /// Sends slots to their peers: how many went; fewer than asked for with errno.
  func reply(_ slots: Range<Int>, on socket: CInt, allowSegments: inout CInt) -> Int {
    Int(unsafe cdatagram_reply(raw, socket, CInt(slots.lowerBound), CInt(slots.count), &allowSegments))
  }

  private func slot(_ index: Int) -> UnsafeMutablePointer<cdatagram_slot> {
    precondition((0..<Self.size).contains(index), "no such slot")
    return unsafe cdatagram_slot_at(raw, CInt(index))
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

  /// Whether two slots came from one peer.
  func isSamePeer(_ a: Int, _ b: Int) -> Bool {
    let (first, second) = unsafe (slot(a), slot(b))
    guard unsafe first.pointee.peer_length == second.pointee.peer_length else { return false }
    return unsafe memcmp(&first.pointee.peer, &second.pointee.peer, Int(first.pointee.peer_length)) == 0
  }

  /// Where a slot is to go.
  func setPeer(_ peer: Peer, of index: Int) {
    let slot = unsafe slot(index)
    unsafe slot.pointee.peer = peer.address
    unsafe slot.pointee.peer_length = peer.length
  }

  /// A client's address as the system has it.
  struct Peer {
    fileprivate let address: sockaddr_in6
    fileprivate let length: UInt32
  }

  /// Where a slot came from, to be kept.
  func rawPeer(of index: Int) -> Peer {
    let slot = unsafe slot(index)
    return unsafe Peer(address: slot.pointee.peer, length: slot.pointee.peer_length)
  }
}
