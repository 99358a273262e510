import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// A shard's UDP side: datagrams in by batches, each to its flow's endpoint; replies out by batches.
///
/// The ``FlowTable`` decides, this class has the sockets. Replies of one turn of the loop leave together at its end.
///
/// ## Concurrency model
/// Lives on its shard's thread. The shard holds it for as long as the loop runs.
final class UDPForwarder: EventHandler {
  let shard: Shard
  private var table: FlowTable
  private var sockets: [FlowSocket?] = []
  private let inbound = DatagramBatch()
  private let outbound = DatagramBatch()
  /// Replies in the first slots of `outbound`, all to be sent by `replying`.
  private var queued = 0
  private var replying: UDPListener?
  private var timer: TimerWatcher?

  // One socket may take so many slots at a time, so that no flow starves the others.
  private static let repliesAtOnce = 16
  private static let batchesAtOnce = 4
  private static let repliesOfAStream = 8

  /// `limit`: flows at one time on this shard.
  init(shard: Shard, limit: Int) {
    self.shard = shard
    table = FlowTable(limit: limit)
    super.init()
    timer = TimerWatcher(loop: shard.loop, handler: self)
    shard.loop.addTurnHandler(self)
  }

  /// Flows that are open here.
  var flowCount: Int { table.count }

  // MARK: - From clients

  func receiveDatagrams(_ listener: UDPListener, _ descriptor: CInt) {
    for _ in 0..<Self.batchesAtOnce {
      let count = inbound.receive(from: descriptor)
      guard count > 0 else { break }
      var first = 0
      while first < count {
        var end = first + 1
        while end < count, inbound.isSamePeer(first, end) { end += 1 }
        forward(first..<end, listener)
        first = end
      }
      if count < DatagramBatch.size { break }
    }
    if timer?.isScheduled == false { scheduleExpiry() }
  }

  /// Forwards slots that came from one client.
  private func forward(_ slots: Range<Int>, _ listener: UDPListener) {
    for slot in slots {
      if let total = inbound.droppedByKernel(slot) { listener.drop(listener.newKernelDrops(total), .receiveBufferFull) }
    }
    guard let client = inbound.peer(of: slots.lowerBound) else { return }
    if let bad = slots.first(where: { inbound.isTruncated($0) }) {
      listener.drop(inbound.datagrams(in: bad), .truncated)
      if bad > slots.lowerBound { forward(slots.lowerBound..<bad, listener) }
      if bad + 1 < slots.upperBound { forward(bad + 1..<slots.upperBound, listener) }
      return
    }
    let decision = table.datagram(
      from: client, at: listener.number, generation: listener.generation,
      idleSeconds: listener.served.port.timeouts.udpIdle, now: shard.clock.now, isServed: { listener.isServed($0) },
      choose: { listener.choose($0, refused: $1) })
    if let evicted = decision.evicted, let reason = decision.reason { closeSocket(evicted, reason) }
    switch decision.action {
    case .forward(let id):
      if let socket = sockets[id] { send(slots, socket, isRetry: false) }
    case .open(let id):
      listener.served.counters.countAccepted(shard: shard.index)
      if let socket = openSocket(id, listener, slots) { send(slots, socket, isRetry: false) }
    case .move(let id):
      listener.served.counters.countRetry(shard: shard.index)
      if let socket = moveSocket(id, listener, slots) { send(slots, socket, isRetry: false) }
    case .drop(let reason): listener.drop(datagrams(in: slots), reason)
    }
  }

  private func datagrams(in slots: Range<Int>) -> Int { slots.reduce(0) { $0 + inbound.datagrams(in: $1) } }

  private func send(_ slots: Range<Int>, _ socket: FlowSocket, isRetry: Bool) {
    let sent = inbound.send(slots, on: socket.descriptor, allowSegments: &socket.allowSegments)
    let error = errno
    let listener = socket.listener
    socket.repliesInARow = 0
    if sent > 0 {
      let went = slots.lowerBound..<slots.lowerBound + sent
      listener.served.counters.countDatagramsIn(datagrams(in: went), shard: shard.index)
      unsafe socket.traffic.pointee.bytesIn.add(UInt64(went.reduce(0) { $0 + inbound.bytes(in: $1) }))
    }
    guard sent < slots.count else { return }
    let rest = slots.lowerBound + sent..<slots.upperBound
    switch error {
    case ECONNREFUSED where !isRetry: resend(rest, socket)
    case ECONNREFUSED: listener.drop(datagrams(in: rest), .refused)
    case EAGAIN, ENOBUFS: listener.drop(datagrams(in: rest), .sendBufferFull)
    default:
      // That one cannot go; those after it may.
      listener.drop(inbound.datagrams(in: rest.lowerBound), .sendFailed)
      if rest.count > 1 { send(rest.lowerBound + 1..<rest.upperBound, socket, isRetry: isRetry) }
    }
  }

  /// An earlier datagram was refused, and this one was not sent for it: it goes to another endpoint, if there is one.
  private func resend(_ slots: Range<Int>, _ socket: FlowSocket) {
    unsafe socket.traffic.pointee.connectFailures.add()
    let listener = socket.listener
    switch table.moveRefused(socket.id, generation: listener.generation, choose: { listener.choose($0, refused: $1) }) {
    case .move(let id):
      listener.served.counters.countRetry(shard: shard.index)
      if let moved = moveSocket(id, listener, slots) { send(slots, moved, isRetry: true) }
    case .forward, .open: send(slots, socket, isRetry: true)
    case .drop(let reason): listener.drop(datagrams(in: slots), reason)
    }
  }

  // MARK: - From endpoints

  func receiveReplies(_ socket: FlowSocket, _ descriptor: CInt) {
    if replying !== socket.listener || queued + Self.repliesAtOnce > DatagramBatch.size { flush() }
    let count =
      socket.isStreaming
      ? outbound.receive(from: descriptor, first: queued, count: Self.repliesAtOnce)
      : outbound.receiveOne(from: descriptor, into: queued)
    guard count > 0 else {
      if count < 0, errno == ECONNREFUSED {
        unsafe socket.traffic.pointee.connectFailures.add()
        table.refused(socket.id)
      }
      return
    }
    var bytes = 0
    for slot in queued..<queued + count {
      if let total = outbound.droppedByKernel(slot) {
        socket.listener.drop(socket.newKernelDrops(total), .receiveBufferFull)
      }
      outbound.setPeer(socket.client, of: slot)
      bytes += outbound.bytes(in: slot)
    }
    unsafe socket.traffic.pointee.bytesOut.add(UInt64(bytes))
    socket.repliesInARow += count
    if !socket.isStreaming, socket.repliesInARow >= Self.repliesOfAStream { socket.stream() }
    table.reply(socket.id, now: shard.clock.now)
    replying = socket.listener
    queued += count
    shard.loop.askForTurnEnd()
  }

  /// Sends the replies that wait.
  private func flush() {
    guard queued > 0, let listener = replying else { return }
    var first = 0
    while first < queued {
      let sent = outbound.reply(first..<queued, on: listener.descriptor, allowSegments: &listener.allowSegments)
      let error = errno
      let count = (first..<first + sent).reduce(0) { $0 + outbound.datagrams(in: $1) }
      if count > 0 { listener.served.counters.countDatagramsOut(count, shard: shard.index) }
      first += sent
      guard first < queued else { break }
      let isFull = error == EAGAIN || error == ENOBUFS
      listener.drop(outbound.datagrams(in: first), isFull ? .sendBufferFull : .sendFailed)
      first += 1
    }
    queued = 0
    replying = nil
  }

  override func turnEnded() { flush() }

  // MARK: - Sockets

  private func openSocket(_ id: FlowTable.FlowID, _ listener: UDPListener, _ slots: Range<Int>) -> FlowSocket? {
    while sockets.count <= id { sockets.append(nil) }
    guard let endpoint = table.endpoint(of: id) else { return nil }
    do throws(Errno) {
      let socket = try FlowSocket(
        id: id, listener: listener, client: inbound.rawPeer(of: slots.lowerBound), endpoint: endpoint, forwarder: self)
      sockets[id] = socket
      unsafe socket.traffic.pointee.connections.add()
      return socket
    } catch {
      table.remove(id)
      listener.served.counters.countClose(reason: FlowEnd.failed.place, shard: shard.index)
      listener.drop(datagrams(in: slots), .noSocket)
      return nil
    }
  }

  private func moveSocket(_ id: FlowTable.FlowID, _ listener: UDPListener, _ slots: Range<Int>) -> FlowSocket? {
    sockets[id]?.close()
    sockets[id] = nil
    return openSocket(id, listener, slots)
  }

  private func closeSocket(_ id: FlowTable.FlowID, _ reason: FlowEnd) {
    guard let socket = sockets[id] else { return }
    socket.listener.served.counters.countClose(reason: reason.place, shard: shard.index)
    socket.close()
    sockets[id] = nil
  }

  // MARK: - Ends

  override func timerFired() {
    while let over = table.expire(now: shard.clock.now) { closeSocket(over.id, over.reason) }
    scheduleExpiry()
  }

  private func scheduleExpiry() {
    guard let next = table.nextExpiry else { return }
    // Not for each flow: those of the same moment end together.
    timer?.schedule(after: max(next - shard.clock.now, 0) + 0.05)
  }

  /// A listener is gone: its flows end.
  func endFlows(of listener: UDPListener) {
    flush()
    for id in table.flows(at: listener.number) {
      table.remove(id)
      closeSocket(id, .unserved)
    }
  }
}
