import Balancing
import CLibEv
import Glibc

/// One direction of a connection: what is received from the source is sent to the sink, in order, nothing changed.
///
/// | phase | the source is read | on | becomes |
/// |---|---|---|---|
/// | open | unless bytes wait | FIN, nothing waits | ended |
/// | open | | FIN, bytes wait | flushing |
/// | flushing | no | the last byte is sent | ended |
/// | ended | no | – | – |
///
/// ## Concurrency model
/// Belongs to its ``Connection``, on the shard's thread. It holds memory only while bytes wait: it reads into the
/// shard's scratch and sends from there.
final class Relay {
  enum Phase { case open, flushing, ended }

  /// What came of an event.
  enum Progress {
    /// Bytes passed, and nothing waits.
    case relayed
    /// There was nothing to receive.
    case idle
    /// The sink takes no more: bytes wait, the source is not to be read until the sink is writable.
    case blocked
    /// The source sent its FIN and everything before it is delivered.
    case ended
    case sourceFailed(CInt)
    case sinkFailed(CInt)
  }

  private(set) var source: CInt
  private(set) var sink: CInt
  private(set) var phase = Phase.open
  /// Whether bytes wait for the sink.
  private(set) var isBlocked = false
  /// Whether the last event's read may have left bytes in the source.
  private(set) var mayHaveMore = false
  private var isSplicing = false
  private var largeReads: UInt8 = 0
  private var smallReads: UInt8 = 0
  /// Sends to this sink, up to 2.
  private var sends: UInt8 = 0
  /// Whether the sink has TCP_NODELAY from its listener; else it is set before the second send.
  private let isSinkPrompt: Bool
  /// Whether this sink took some of the bytes and not all: they cannot be sent to another any more.
  private(set) var isPartlySent = false
  private var waiting: WaitingBytes? { didSet { isBlocked = waiting != nil || pipe != nil } }
  private var pipe: Pipe? { didSet { isBlocked = waiting != nil || pipe != nil } }

  /// From the client to an upstream that is still to come.
  static func toServer(from client: CInt) -> Relay { Relay(source: client, sink: -1, isSinkPrompt: false) }

  /// From an upstream that is still to come to the client.
  static func toClient(_ client: CInt) -> Relay { Relay(source: -1, sink: client, isSinkPrompt: true) }

  private init(source: CInt, sink: CInt, isSinkPrompt: Bool) {
    self.source = source
    self.sink = sink
    self.isSinkPrompt = isSinkPrompt
  }

  /// Points it at another upstream. Bytes that wait stay.
  func setSource(_ upstream: CInt) { source = upstream }

  /// Points it at another upstream. Bytes that wait stay.
  func setSink(_ upstream: CInt) {
    sink = upstream
    // Bytes that wait are its first send.
    sends = waiting == nil ? 0 : 1
    isPartlySent = false
  }

  /// Whether bytes have been read for this sink.
  var hasSent: Bool { sends > 0 }

  /// Whether the source is to be read.
  var wantsSource: Bool { phase == .open && !isBlocked }

  // From this size on a read counts as large; three in a row and the kernel moves the pages instead.
  private static let largeRead = 64 * 1024
  private static let largeReadsToSplice: UInt8 = 3
  // Below this splice costs more than a copy; two in a row and it stops.
  private static let smallSplice = 16 * 1024

  /// Receives once and sends it on. To be called when the source may be readable and nothing waits.
  ///
  /// `limit` bounds the read; `delivered` counts what the sink took.
  func sourceReady(_ shard: Shard, limit: Int, delivered: borrowing Counter) -> Progress {
    if isSplicing { return splice(shard, delivered: delivered) }
    var received = unsafe recv(source, shard.buffers.scratch, limit, 0)
    guard received > 0 else { return received == 0 ? sourceEnded() : Self.sourceError() }
    var flags = CInt(MSG_NOSIGNAL)
    // The error of a read that looked further: the socket tells of it once only.
    var sourceFailure: CInt = 0
    if sends < 2 {
      sends += 1
      if sends == 1, isSinkPrompt {
        let more = lookForEnd(shard, after: received, limit: limit)
        received += more.count
        sourceFailure = more.failure
        if phase == .flushing { flags |= CInt(MSG_MORE) }
      } else if sends == 2, !isSinkPrompt {
        // Nagle's algorithm never holds back a first send (tcp(7)), so a single request saves the call.
        TCPOptions.noDelay(sink)
      }
    }
    mayHaveMore = received == limit
    let sent = unsafe send(sink, shard.buffers.scratch, received, flags)
    if sent == received {
      delivered.add(UInt64(sent))
      if sourceFailure != 0 { return .sourceFailed(sourceFailure) }
      noteRead(received)
      return phase == .flushing ? finish() : .relayed
    }
    let failure = sent < 0 ? errno : EAGAIN
    if sent > 0 {
      delivered.add(UInt64(sent))
      isPartlySent = true
    }
    waiting = WaitingBytes(scratchOf: shard.buffers, range: max(sent, 0)..<received)
    if sourceFailure != 0 { return .sourceFailed(sourceFailure) }
    // The bytes are kept even then: a connection that is not yet established tries another endpoint.
    return isTransient(failure) ? .blocked : .sinkFailed(failure)
  }

  /// Sends what waits. To be called when the sink is writable.
  func sinkReady(_ shard: Shard, delivered: borrowing Counter) -> Progress {
    if let pipe { return flush(pipe, shard, delivered: delivered) }
    guard var bytes = waiting else { return phase == .flushing ? finish() : .idle }
    // To the end or to EAGAIN, without which the sink would not tell of more room.
    while !bytes.isEmpty {
      let sent = bytes.send(to: sink)
      if sent < 0 {
        let failure = errno
        waiting = bytes
        return isTransient(failure) ? .blocked : .sinkFailed(failure)
      }
      delivered.add(UInt64(sent))
      isPartlySent = true
    }
    dropWaiting(shard)
    return phase == .flushing ? finish() : .relayed
  }

  /// Lets go of everything that waits. To be called when the connection closes.
  func discard(_ shard: Shard) {
    dropWaiting(shard)
    if let pipe { shard.pipes.release(pipe) }
    pipe = nil
    phase = .ended
  }

  /// Reads once more after an endpoint's first bytes: one that answers and closes has often sent its FIN by now, and
  /// it then leaves in one segment with the answer. Returns how many bytes more there are, and the error if there is
  /// one: reading again would not tell of it.
  private func lookForEnd(_ shard: Shard, after received: Int, limit: Int) -> (count: Int, failure: CInt) {
    guard received < limit else { return (0, 0) }
    let more = unsafe recv(source, shard.buffers.scratch + received, limit - received, 0)
    if more == 0 { phase = .flushing }
    guard more < 0 else { return (more, 0) }
    return (0, isTransient(errno) ? 0 : errno)
  }

  private func dropWaiting(_ shard: Shard) {
    if let waiting { waiting.release(to: shard.buffers) }
    waiting = nil
  }

  private func noteRead(_ count: Int) {
    guard count >= Self.largeRead else {
      if largeReads > 0 { largeReads = 0 }
      return
    }
    largeReads += 1
    if largeReads >= Self.largeReadsToSplice {
      isSplicing = true
      smallReads = 0
    }
  }

  private func sourceEnded() -> Progress {
    phase = .flushing
    return isBlocked ? .blocked : finish()
  }

  private func finish() -> Progress {
    phase = .ended
    return .ended
  }

  private static func sourceError() -> Progress { isTransient(errno) ? .idle : .sourceFailed(errno) }
}

/// Whether the call is to be made again when the descriptor is ready.
private func isTransient(_ number: CInt) -> Bool { number == EAGAIN || number == EINTR }

// MARK: - Bulk: the kernel moves the pages

extension Relay {
  /// As ``sourceReady``, through a pipe of the shard's. The pipe is empty at the start.
  private func splice(_ shard: Shard, delivered: borrowing Counter) -> Progress {
    guard var pipe = shard.pipes.take() else { return readInstead(shard, delivered: delivered) }
    let moved = clinux_splice(source, pipe.writeEnd, shard.pipes.transferSize(of: pipe))
    guard moved > 0 else {
      let failure = errno
      shard.pipes.release(pipe)
      if moved < 0, isTransient(failure) { return .idle }
      // 0 may be the end, or where urgent data stops it (tcp(7)). Reading tells which, and passes over the urgent byte.
      if moved == 0 || failure == EINVAL { return readInstead(shard, delivered: delivered) }
      return .sourceFailed(failure)
    }
    pipe.count = moved
    noteSplice(moved)
    // A splice takes what fits into the pipe's slots, and says nothing of what is left.
    mayHaveMore = true
    return flush(pipe, shard, delivered: delivered)
  }

  /// Moves what is in the pipe to the sink: all of it, or as much as there is room for.
  private func flush(_ full: Pipe, _ shard: Shard, delivered: borrowing Counter) -> Progress {
    var pipe = full
    while pipe.count > 0 {
      let moved = clinux_splice(pipe.readEnd, sink, pipe.count)
      if moved <= 0 {
        let failure = moved < 0 ? errno : EPIPE
        self.pipe = pipe
        return isTransient(failure) ? .blocked : .sinkFailed(failure)
      }
      delivered.add(UInt64(moved))
      pipe.count -= moved
    }
    shard.pipes.release(pipe)
    if isBlocked { self.pipe = nil }
    return phase == .flushing ? finish() : .relayed
  }

  private func noteSplice(_ count: Int) {
    if count >= Self.smallSplice {
      smallReads = 0
    } else {
      smallReads += 1
      if smallReads >= 2 {
        isSplicing = false
        largeReads = 0
      }
    }
  }

  /// Has the next bytes read: a splice does not pass over urgent data. Returns whether that is a change.
  func stopSplicing() -> Bool {
    guard isSplicing else { return false }
    isSplicing = false
    largeReads = 0
    return true
  }

  /// Where a splice had nothing to move: bytes end the splicing, an empty socket does not.
  private func readInstead(_ shard: Shard, delivered: borrowing Counter) -> Progress {
    isSplicing = false
    let progress = sourceReady(shard, limit: shard.buffers.readSize, delivered: delivered)
    if case .idle = progress { isSplicing = true } else { largeReads = 0 }
    return progress
  }
}
