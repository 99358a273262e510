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
@safe final class UDPForwarder: EventHandler {
  let shard: Shard
  private let table: FlowTable
  private let sockets = FlowSockets()
  private let inbound = DatagramBatch()
  private let outbound = DatagramBatch()
  /// Replies in the first slots of `outbound`, all to be sent by `replying`.
  private var queued = 0
  // Unretained: before a listener closes it sends what waits (``endFlows(of:)``).
  private var replying: Unmanaged<UDPListener>?
  private var timer: TimerWatcher?
  /// For which flow's end the timer is scheduled; infinite when it is not.
  private var dueExpiry = Double.infinity

  // A flow with so many datagrams in a row, either way, is read by batches from then on.
  private static let datagramsOfAStream = 8

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

  /// Forwards a batch. Whether there may be more.
  ///
  /// One batch a turn, as from each endpoint: whoever took more would fill the other side's buffers.
  func receiveDatagrams(_ listener: UDPListener, _ descriptor: CInt) -> Bool {
    let count = inbound.receive(from: descriptor)
    guard count > 0 else { return false }
    var first = 0
    while first < count {
      var end = first + 1
      while end < count, inbound.isSamePeer(first, end) { end += 1 }
      forward(first..<end, listener)
      first = end
    }
    if table.mayExpireSooner { scheduleExpiry() }
    return count == DatagramBatch.size
  }

  /// Forwards slots that came from one client.
  private func forward(_ slots: Range<Int>, _ listener: UDPListener) {
    for slot in slots {
      if let total = inbound.droppedByKernel(slot) { listener.countKernelDrops(total) }
    }
    guard let client = inbound.peer(of: slots.lowerBound) else { return }
    if let bad = slots.first(where: { inbound.isTruncated($0) }) {
      listener.drop(inbound.datagrams(in: bad), .truncated)
      if bad > slots.lowerBound { forward(slots.lowerBound..<bad, listener) }
      if bad + 1 < slots.upperBound { forward(bad + 1..<slots.upperBound, listener) }
      return
    }
    let key = FlowKey(client: client, local: inbound.local(of: slots.lowerBound), listener: listener.number)
    let steady = table.steady(key, generation: listener.generation, now: shard.clock.now)
    if steady >= 0 { sockets.with(steady) { send(slots, $0) } } else { decide(key, slots, listener) }
  }

  /// Forwards the slots of a client whose flow is new, or does not go on as it was.
  private func decide(_ key: FlowKey, _ slots: Range<Int>, _ listener: UDPListener) {
    let decision = table.datagram(
      key, generation: listener.generation, idleSeconds: listener.idleSeconds, now: shard.clock.now,
      current: { listener.current($0) }, choose: { listener.choose($0, refused: $1) })
    if let evicted = decision.evicted, let reason = decision.reason { closeSocket(evicted, reason) }
    switch decision.action {
    case .forward(let id):
      if let socket = sockets[id] { send(slots, socket) }
    case .adopt(let id):
      guard let socket = sockets[id], let endpoint = table.endpoint(of: id) else { return }
      socket.adopt(endpoint)
      send(slots, socket)
    case .open(let id):
      listener.served.counters.countAccepted(shard: shard.index)
      if let socket = openSocket(id, listener, slots) { send(slots, socket) }
    case .move(let id):
      listener.served.counters.countRetry(shard: shard.index)
      if let socket = moveSocket(id, listener, slots) { send(slots, socket) }
    case .drop(let reason): listener.drop(datagrams(in: slots), reason)
    }
  }

  private func datagrams(in slots: Range<Int>) -> Int { slots.reduce(0) { $0 + inbound.datagrams(in: $1) } }

  /// Sends slots of one client. `tries`: sends of the first one that were refused.
  private func send(_ slots: Range<Int>, _ socket: FlowSocket, tries: Int = 0) {
    // A copy: C changes it, and a field that is lent to C costs a check of exclusive access.
    var segmentLimit = socket.segmentLimit
    let sent = inbound.send(slots, on: socket.descriptor, segmentLimit: &segmentLimit)
    socket.segmentLimit = segmentLimit
    let listener = socket.listener
    if sent.datagrams > 0 {
      socket.repliesInARow = 0
      socket.datagramsInARow += sent.datagrams
      if !socket.isStreaming, socket.datagramsInARow >= Self.datagramsOfAStream { socket.stream() }
      listener.countDatagramsIn(sent.datagrams)
      unsafe socket.traffic.pointee.bytesIn.add(UInt64(sent.bytes))
    }
    guard sent.slots < slots.count else { return }
    let rest = slots.lowerBound + sent.slots..<slots.upperBound
    let triesOfRest = sent.datagrams > 0 ? 0 : tries
    switch sent.error {
    case let error where Self.isUnreachable(error):
      if triesOfRest + 1 < Tried.capacity {
        resend(rest, socket, tries: triesOfRest + 1)
      } else {
        listener.drop(datagrams(in: rest), .refused)
      }
    case EAGAIN, ENOBUFS, ENOMEM: listener.drop(datagrams(in: rest), .sendBufferFull)
    default:
      // That one cannot go; those after it may.
      listener.drop(inbound.datagrams(in: rest.lowerBound), .sendFailed)
      if rest.count > 1 { send(rest.lowerBound + 1..<rest.upperBound, socket) }
    }
  }

  /// Whether an error says that the endpoint cannot be reached: ICMP about an earlier datagram, or no route (ip(7)).
  private static func isUnreachable(_ error: CInt) -> Bool {
    switch error {
    case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ENONET, ENOPROTOOPT, EPROTO, EOPNOTSUPP, EACCES:
      true
    default: false
    }
  }

  /// An earlier datagram was refused, and this one was not sent for it: it goes to another endpoint, if there is one.
  private func resend(_ slots: Range<Int>, _ socket: FlowSocket, tries: Int) {
    unsafe socket.traffic.pointee.connectFailures.add()
    let listener = socket.listener
    switch table.moveRefused(socket.id, generation: listener.generation, choose: { listener.choose($0, refused: $1) }) {
    case .move(let id):
      listener.served.counters.countRetry(shard: shard.index)
      if let moved = moveSocket(id, listener, slots) { send(slots, moved, tries: tries) }
    case .forward, .adopt, .open: send(slots, socket, tries: tries)
    case .drop(let reason): listener.drop(datagrams(in: slots), reason)
    }
  }

  // MARK: - From endpoints

  func receiveReplies(_ socket: FlowSocket, _ descriptor: CInt) {
    let most = socket.isStreaming ? DatagramBatch.size : 1
    if queued > 0, !isReplying(socket.listener) || queued + most > DatagramBatch.size { flush() }
    let count =
      socket.isStreaming
      ? outbound.receive(from: descriptor, first: queued, count: most)
      : outbound.receiveOne(from: descriptor, into: queued)
    guard count > 0 else {
      if count < 0, Self.isUnreachable(errno) {
        unsafe socket.traffic.pointee.connectFailures.add()
        table.refused(socket.id)
      }
      return
    }
    var bytes = 0
    for slot in queued..<queued + count {
      if let total = outbound.droppedByKernel(slot) {
        socket.countKernelDrops(total)
      }
      outbound.setPeer(socket.client, of: slot)
      bytes += outbound.bytes(in: slot)
    }
    unsafe socket.traffic.pointee.bytesOut.add(UInt64(bytes))
    socket.datagramsInARow = 0
    socket.repliesInARow += count
    if !socket.isStreaming, socket.repliesInARow >= Self.datagramsOfAStream { socket.stream() }
    table.reply(socket.id, now: shard.clock.now)
    unsafe replying = .passUnretained(socket.listener)
    queued += count
    shard.loop.askForTurnEnd()
  }

  /// Sends the replies that wait.
  private func flush() {
    guard queued > 0, let listener = unsafe replying else { return }
    unsafe listener._withUnsafeGuaranteedRef { reply($0) }
    queued = 0
    unsafe replying = nil
  }

  private func isReplying(_ listener: UDPListener) -> Bool {
    unsafe replying?.toOpaque() == Unmanaged.passUnretained(listener).toOpaque()
  }

  private func reply(_ listener: UDPListener) {
    var segmentLimit = listener.segmentLimit
    var first = 0
    while first < queued {
      let sent = outbound.reply(first..<queued, on: listener.descriptor, segmentLimit: &segmentLimit)
      if sent.datagrams > 0 { listener.countDatagramsOut(sent.datagrams) }
      first += sent.slots
      guard first < queued else { break }
      let isFull = sent.error == EAGAIN || sent.error == ENOBUFS || sent.error == ENOMEM
      listener.drop(outbound.datagrams(in: first), isFull ? .replySendBufferFull : .replySendFailed)
      first += 1
    }
    listener.segmentLimit = segmentLimit
  }

  override func turnEnded() { flush() }

  // MARK: - Sockets

  private func openSocket(_ id: FlowTable.FlowID, _ listener: UDPListener, _ slots: Range<Int>) -> FlowSocket? {
    var reason = DatagramDrop.noSocket
    for _ in 0..<Tried.capacity {
      guard let endpoint = table.endpoint(of: id) else { break }
      do throws(Errno) {
        let socket = try FlowSocket(
          id: id, listener: listener, client: inbound.rawPeer(of: slots.lowerBound), endpoint: endpoint,
          forwarder: self)
        sockets[id] = socket
        unsafe socket.traffic.pointee.connections.add()
        return socket
      } catch {
        // For want of a descriptor, a port or memory another endpoint is no better.
        if Self.isLocal(error) { break }
        reason = .refused
        unsafe endpoint.counters(ofShard: shard.index).pointee.connectFailures.add()
        guard
          case .move = table.moveRefused(
            id, generation: listener.generation, choose: { listener.choose($0, refused: $1) })
        else {
          break
        }
        listener.served.counters.countRetry(shard: shard.index)
      }
    }
    table.remove(id)
    listener.served.counters.countClose(reason: FlowEnd.failed.place, shard: shard.index)
    listener.drop(datagrams(in: slots), reason)
    return nil
  }

  private static func isLocal(_ error: Errno) -> Bool {
    switch error.rawValue {
    case EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EADDRNOTAVAIL, EADDRINUSE: true
    default: false
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
    dueExpiry = .infinity
    while let over = table.expire(now: shard.clock.now) { closeSocket(over.id, over.reason) }
    scheduleExpiry()
  }

  /// Wakes when the next flow may be over; earlier than it was to, never later.
  private func scheduleExpiry() {
    table.mayExpireSooner = false
    guard let next = table.nextExpiry, next < dueExpiry else { return }
    dueExpiry = next
    // Not for each flow: those of the same moment end together.
    timer?.schedule(after: max(next - shard.clock.now, 0) + 0.05)
  }

  /// A listener is gone, or another Service's: its flows end.
  func endFlows(of listener: UDPListener) {
    flush()
    for id in table.flows(at: listener.number) {
      table.remove(id)
      closeSocket(id, .unserved)
    }
  }
}
