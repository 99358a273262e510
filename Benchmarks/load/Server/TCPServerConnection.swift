import CLibEv
import EventLoop
import Glibc

/// One client's connection: reads a request, replies, reads the next. Lives on its server's loop, and is used again.
///
/// | state | in it | leaves for |
/// |---|---|---|
/// | `reading` | a request is awaited, or a part of it is here | `replying`, `streaming`, `closed` |
/// | `replying` | a part of the reply is still to go | `reading`, `closed` |
/// | `streaming` | an endless request is counted, or an endless reply sent, or both | `telling`, `closed` |
/// | `telling` | an endless request has ended, a part of its count is still to go | `closed` |
/// | `closed` | there is no connection | `reading` |
final class TCPServerConnection: EventHandler {
  private enum State {
    case reading
    case replying
    case streaming
    case telling
    case closed
  }

  private let server: TCPServer
  private let input: Buffer
  private let output: Buffer
  private var watcher: ReadinessWatcher?
  private var state = State.closed
  private var header = Header(requestLength: 0, replyLength: 0)
  /// Bytes of the request that are here, and of the reply that have gone.
  private var received: UInt64 = 0
  private var sent: UInt64 = 0
  /// Where the reply ends: an endless one when the upload does, but not within its header.
  private var replyEnd: UInt64 = 0
  /// Bytes of the count that have gone.
  private var told = 0
  /// The beginning of a header that came in pieces.
  private var piece: [UInt8] = []
  private var hasRequestEnded = false

  init(server: TCPServer) {
    self.server = server
    input = server.input
    output = server.output
  }

  /// Serves a connection that was accepted.
  func take(_ descriptor: consuming OwnedDescriptor) {
    watcher = ReadinessWatcher(loop: server.loop, descriptor: descriptor, handler: self)
    watcher?.watch(.read)
    state = .reading
    received = 0
  }

  override func ready(_ events: Readiness, on descriptor: CInt) {
    switch state {
    case .reading: read(descriptor)
    case .replying: reply(descriptor)
    case .streaming: stream(events, descriptor)
    case .telling: tellCount(descriptor)
    case .closed: break
    }
  }

  private func read(_ descriptor: CInt) {
    if received >= UInt64(Header.size) { return readRest(descriptor) }
    if !piece.isEmpty { input.write(piece) }
    let count = input.receive(from: descriptor, at: piece.count)
    guard count > 0 else { return end(count) }
    let total = piece.count &+ count
    received = UInt64(total)
    guard total >= Header.size else { return piece = input.copy(total) }
    if !piece.isEmpty { piece = [] }
    guard let header = input.header, isServed(header) else { return refuse(descriptor) }
    self.header = header
    sent = 0
    replyEnd = header.replyLength
    if header.requestLength == Header.endless { return beginStream(descriptor) }
    guard received <= header.requestLength else { return refuse(descriptor) }
    if received == header.requestLength { beginReply(descriptor) }
  }

  private func isServed(_ header: Header) -> Bool {
    header.requestLength == Header.endless
      || header.requestLength >= UInt64(Header.size) && header.replyLength >= UInt64(Header.size)
  }

  private func readRest(_ descriptor: CInt) {
    let left = header.requestLength &- received
    let count = input.receive(from: descriptor, most: Int(clamping: left))
    guard count > 0 else { return end(count) }
    received &+= UInt64(count)
    if received == header.requestLength { beginReply(descriptor) }
  }

  private func beginReply(_ descriptor: CInt) {
    received = 0
    if header.replyLength == Header.endless {
      hasRequestEnded = true
      state = .streaming
      watcher?.watch(.write)
      return
    }
    reply(descriptor)
  }

  /// Sends what is left of the reply, as far as it goes.
  private func reply(_ descriptor: CInt) {
    while sent < replyEnd {
      let count = sendMore(descriptor)
      if count < 0 {
        guard Errno.current.isWouldBlock else { return close() }
        if state == .reading {
          state = .replying
          watcher?.watch(.write)
        }
        return
      }
    }
    if header.flags.contains(.closes) { return close() }
    if state == .replying {
      state = .reading
      watcher?.watch(.read)
    }
  }

  /// One send(2) of the reply.
  private func sendMore(_ descriptor: CInt) -> Int {
    // What another connection has left in the buffer is as good a pattern, but for the header.
    var offset = 0
    if sent < UInt64(Header.size) {
      output.write(header)
      offset = Int(sent)
    }
    let left = Int(clamping: replyEnd &- sent)
    let count = output.send(to: descriptor, from: offset, count: min(left, output.size &- offset))
    if count > 0 { sent &+= UInt64(count) }
    return count
  }

  // MARK: - Endless requests and replies

  private func beginStream(_ descriptor: CInt) {
    hasRequestEnded = false
    state = .streaming
    watchStream()
  }

  private func watchStream() {
    var events: Readiness = []
    if !hasRequestEnded { events.insert(.read) }
    if sent < replyEnd { events.insert(.write) }
    watcher?.watch(events)
  }

  private func stream(_ events: Readiness, _ descriptor: CInt) {
    if events.contains(.write), sent < replyEnd {
      guard sendMore(descriptor) >= 0 || Errno.current.isWouldBlock else { return close() }
      if sent == replyEnd {
        if hasRequestEnded { return beginTelling(descriptor) }
        watchStream()
      }
    }
    guard events.contains(.read), !hasRequestEnded else { return }
    let count = input.receive(from: descriptor)
    if count > 0 {
      received &+= UInt64(count)
    } else if count == 0 {
      hasRequestEnded = true
      if replyEnd == Header.endless { replyEnd = max(sent, UInt64(Header.size)) }
      if sent == replyEnd { beginTelling(descriptor) } else { watchStream() }
    } else if !Errno.current.isWouldBlock {
      close()
    }
  }

  private func beginTelling(_ descriptor: CInt) {
    state = .telling
    told = 0
    watcher?.watch(.write)
    tellCount(descriptor)
  }

  /// The last word about an upload, after what has gone of the reply: how many bytes came.
  private func tellCount(_ descriptor: CInt) {
    output.number = received
    let count = output.send(to: descriptor, from: told, count: 8 &- told)
    guard count >= 0 || Errno.current.isWouldBlock else { return close() }
    told &+= max(count, 0)
    if told == 8 { close() }
  }

  // MARK: - Ends

  /// After a receive that brought nothing.
  private func end(_ result: Int) {
    if result == 0 || !Errno.current.isWouldBlock { close() }
  }

  /// Whoever does not speak as agreed is reset.
  private func refuse(_ descriptor: CInt) {
    _ = clinux_reset_on_close(descriptor)
    close()
  }

  private func close() {
    state = .closed
    watcher = nil
    piece = []
    server.release(self)
  }
}
