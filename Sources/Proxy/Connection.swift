import Addresses
import Balancing
import CLibEv
import EventLoop
import Glibc

/// One client's TCP connection and the one to the endpoint that serves it.
///
/// | phase | waits for | on | becomes |
/// |---|---|---|---|
/// | connecting | the endpoint's answer | the first byte either way, or the kernel says established | relaying |
/// | connecting | | refused, or no answer in time | connecting to another endpoint, or closed |
/// | relaying | bytes, FINs | both sides' FINs passed on | closed |
/// | relaying | | a reset, an error, a timeout | closed |
///
/// The connect is not probed for: the first send or receive tells how it went. Both sockets are watched edge-triggered
/// (``EdgePoll``): what happens is told once, so a side is read until it is known to be empty, also when it was told of
/// while nobody could take its bytes.
///
/// ## Concurrency model
/// Lives on its shard's thread. The shard's table holds it; its ``EdgePoll`` does not. ``close(_:)`` takes it from the
/// table and hands it to the loop's retired objects, so it may be called from within the connection's own callbacks.
@safe final class Connection: EventHandler {
  enum Phase { case connecting, relaying, closed }
  enum Side { case client, server }

  // What each event needs comes first: with many connections it is their memory that takes time, line by line.
  private(set) var phase = Phase.connecting
  /// A short read does not mean that nothing is left: a FIN or an error is behind the bytes, of which no event will tell
  /// again, or reads stop at urgent data.
  private var isClientEnding = false
  private(set) var isUpstreamEnding = false
  /// Watched for writing as well, from the first stall on.
  private var isClientWriteWatched = false
  private var isUpstreamWriteWatched = false
  /// Its bytes are told of no more, since they came while nobody could take them.
  private var isClientMuted = false
  private var isUpstreamMuted = false
  private var isKeptAlive = false
  let shard: Shard
  private let toServer: Relay
  private let toClient: Relay
  // Valid while `endpoint` is held.
  private var traffic: UnsafeMutablePointer<TrafficCounters>?
  /// ``LoopClock/now`` of the last byte either way.
  private var lastActivity: Double
  let clientDescriptor: CInt
  private var upstreamDescriptor: CInt = -1
  private var client: OwnedDescriptor?
  private var upstream: OwnedDescriptor?
  let served: ServedPort
  /// The endpoint it is at, whose `active` count includes it.
  private(set) var endpoint: EndpointState?
  private var timer: TimerWatcher?
  private let opened: Double
  private var tried = Tried()
  /// Its place in the shard's table.
  var slot = -1

  // Keepalive is four system calls a socket and a timer of the kernel's, which short connections are spared.
  private static let keepaliveAfter = 30.0
  // So many reads of one side in one event, then others have their turn: 1 MiB.
  private static let readsInOneEvent = 4
  private static var watched: EdgeEvents { [.readable, .urgent, .peerClosed] }
  private static var clientTag: Int { 0 }
  /// Each try's upstream has its own.
  var upstreamTag: Int { tried.count }

  init(shard: Shard, served: ServedPort, client: consuming OwnedDescriptor) {
    self.shard = shard
    self.served = served
    clientDescriptor = client.rawValue
    toServer = .toServer(from: client.rawValue)
    toClient = .toClient(client.rawValue)
    opened = shard.clock.now
    lastActivity = opened
    self.client = consume client
    super.init()
    timer = TimerWatcher(loop: shard.loop, handler: self)
  }

  /// Chooses an endpoint for the client at `source` and starts to connect. Once, after the table holds it.
  func open(source: IPAddress) {
    connect(source: source)
    guard phase != .closed else { return }
    if watch(clientDescriptor, tag: Self.clientTag) != 0 { refuse(.outOfResources) }
  }

  private func watch(_ descriptor: CInt, tag: Int) -> CInt {
    shard.edges.add(descriptor, for: Self.watched, handler: self, tag: tag)
  }

  // MARK: - Events

  override func edge(_ events: EdgeEvents, tag: Int) {
    guard phase != .closed else { return }
    if tag == Self.clientTag {
      if !events.isDisjoint(with: .behind) { isClientEnding = true }
      if events.contains(.writable), toClient.isBlocked { sinkReady(.client) }
      if phase != .closed, !events.isDisjoint(with: .incoming) { incoming(.client) }
      // Also where it was just read: bytes that now wait are no reason to keep its reset for later.
      if events.contains(.failed), phase != .closed, !toServer.wantsSource { failedUnread(.client) }
    } else {
      // The upstream may have been changed for another in this batch.
      guard tag == upstreamTag else { return }
      if !events.isDisjoint(with: .behind) { isUpstreamEnding = true }
      if events.contains(.writable), phase == .connecting || toServer.isBlocked { sinkReady(.server) }
      if phase != .closed, !events.isDisjoint(with: .incoming) { incoming(.server) }
      if events.contains(.failed), phase != .closed, tag == upstreamTag, !toClient.wantsSource { failedUnread(.server) }
    }
  }

  override func timerFired() {
    guard phase != .closed else { return }
    if phase == .connecting {
      guard isUpstreamEstablished else { return connectFailed(ETIMEDOUT) }
      established()
    }
    let timeouts = served.port.timeouts
    let isHalfClosed = toServer.phase == .ended || toClient.phase == .ended
    let limit = isHalfClosed ? min(timeouts.halfClosed, timeouts.idle) : timeouts.idle
    let quiet = shard.clock.now - lastActivity
    if quiet >= limit {
      return expire(isHalfClosed && timeouts.halfClosed <= limit ? .halfClosedTimeout : .idleTimeout)
    }
    let age = shard.clock.now - opened
    if !isKeptAlive, age >= Self.keepaliveAfter {
      isKeptAlive = true
      TCPOptions.keepAlive(clientDescriptor)
      TCPOptions.keepAlive(upstreamDescriptor)
    }
    let toKeepalive = isKeptAlive ? Double.infinity : Self.keepaliveAfter - age
    schedule(after: min(limit - quiet, toKeepalive))
  }

  /// Ends it for want of bytes. Whoever still has some to get is reset: a FIN would say that those were all.
  private func expire(_ reason: CloseReason) {
    if toServer.isBlocked { _ = clinux_reset_on_close(upstreamDescriptor) }
    if toClient.isBlocked { _ = clinux_reset_on_close(clientDescriptor) }
    close(reason)
  }

  private func schedule(after seconds: Double) { timer?.schedule(after: max(seconds, 0.001)) }

  // MARK: - Relaying

  /// Something came from the side: it is relayed, or left where it is while bytes before it wait.
  private func incoming(_ from: Side) {
    switch from {
    case .client: toServer.wantsSource ? sourceReady(.client) : mute(.client)
    case .server: toClient.wantsSource ? sourceReady(.server) : mute(.server)
    }
  }

  /// The side `from` may have something to read, and the other takes it.
  private func sourceReady(_ from: Side) {
    for _ in 0..<Self.readsInOneEvent {
      guard let progress = receive(from) else { return }
      handle(progress, from: from)
      guard phase != .closed else { return }
      switch (progress, from) {
      case (.relayed, .client):
        if isClientEnding || toServer.mayHaveMore { continue }
        return isClientMuted ? askAgain(.client) : ()
      case (.relayed, .server):
        if isUpstreamEnding || toClient.mayHaveMore { continue }
        return isUpstreamMuted ? askAgain(.server) : ()
      case (.idle, .client):
        if isClientEnding, toServer.stopSplicing() { continue }
        return isClientMuted ? askAgain(.client) : ()
      case (.idle, .server):
        if isUpstreamEnding, toClient.stopSplicing() { continue }
        return isUpstreamMuted ? askAgain(.server) : ()
      default: return
      }
    }
    askAgain(from)
  }

  /// Receives once and sends it on; nil where nothing is to be read.
  private func receive(_ from: Side) -> Relay.Progress? {
    let limit = phase == .connecting ? BufferPool.smallReadSize : shard.buffers.readSize
    guard let traffic = unsafe traffic else { return nil }
    switch from {
    case .client:
      guard toServer.wantsSource else { return nil }
      return unsafe toServer.sourceReady(shard, limit: limit, delivered: traffic.pointee.bytesIn)
    case .server:
      guard toClient.wantsSource else { return nil }
      return unsafe toClient.sourceReady(shard, limit: limit, delivered: traffic.pointee.bytesOut)
    }
  }

  /// Has the side's bytes not told of, each of their segments an event for nothing, until ``askAgain(_:)``. Whoever
  /// relays what waits reads on by itself.
  private func mute(_ side: Side) {
    switch side {
    case .client:
      guard toServer.isBlocked, !isClientMuted else { return }
      isClientMuted = true
    case .server:
      guard toClient.isBlocked, !isUpstreamMuted else { return }
      isUpstreamMuted = true
    }
    rewatch(side)
  }

  /// Has the side's events told once more, after those of others.
  private func askAgain(_ side: Side) {
    switch side {
    case .client: isClientMuted = false
    case .server: isUpstreamMuted = false
    }
    rewatch(side)
  }

  /// Watches the side for what is wanted of it now, and has what of that is there told once more.
  private func rewatch(_ side: Side) {
    let (isMuted, isWriteWatched) =
      side == .client ? (isClientMuted, isClientWriteWatched) : (isUpstreamMuted, isUpstreamWriteWatched)
    var events = isMuted ? .peerClosed : Self.watched
    if isWriteWatched { events.insert(.writable) }
    switch side {
    case .client: shard.edges.repeat(clientDescriptor, for: events, handler: self, tag: Self.clientTag)
    case .server: shard.edges.repeat(upstreamDescriptor, for: events, handler: self, tag: upstreamTag)
    }
  }

  /// Tells when the side takes bytes, from its first stall to its close: edges cost nothing until they come.
  private func watchForWriting(_ side: Side) {
    switch side {
    case .client:
      if isClientWriteWatched { return }
      isClientWriteWatched = true
    case .server:
      if isUpstreamWriteWatched { return }
      isUpstreamWriteWatched = true
    }
    askAgain(side)
  }

  /// The side `to` takes bytes again.
  private func sinkReady(_ to: Side) {
    guard let traffic = unsafe traffic else { return }
    switch to {
    case .server:
      if phase == .connecting, !toServer.isBlocked {
        // A FIN waits for the connection: the kernel's word is enough.
        guard isUpstreamEstablished else { return connectFailed(upstreamError) }
        return established()
      }
      unsafe handle(toServer.sinkReady(shard, delivered: traffic.pointee.bytesIn), from: .client)
      // What came meanwhile has been told already.
      if phase != .closed, toServer.wantsSource { sourceReady(.client) }
    case .client:
      unsafe handle(toClient.sinkReady(shard, delivered: traffic.pointee.bytesOut), from: .server)
      if phase != .closed, toClient.wantsSource { sourceReady(.server) }
    }
  }

  private func handle(_ progress: Relay.Progress, from: Side) {
    switch progress {
    case .relayed:
      lastActivity = shard.clock.now
      if phase == .connecting { established() }
    case .idle: break
    case .blocked:
      lastActivity = shard.clock.now
      // Bytes from the endpoint prove it; bytes to it may all still wait.
      if phase == .connecting, from == .server || toServer.isPartlySent { established() }
      watchForWriting(from == .client ? .server : .client)
    case .ended:
      lastActivity = shard.clock.now
      relayEnded(from: from)
    case .sourceFailed(let error):
      if phase == .connecting {
        if from == .client { return clientLeft() }
        // Behind bytes that the client has now: no other endpoint may go on from there.
        guard toClient.hasSent else { return connectFailed(error) }
        established()
      }
      sideFailed(from, error)
    case .sinkFailed(let error):
      if phase == .connecting, from == .client {
        // What it took of a request cannot be taken back: no other endpoint may go on from there.
        guard toServer.isPartlySent else { return connectFailed(error) }
        established()
      }
      let failed: Side = from == .client ? .server : .client
      deliverLastBytes(of: failed)
      if phase != .closed { sideFailed(failed, error) }
    }
  }

  /// One side sent its FIN and everything before it has been delivered.
  private func relayEnded(from: Side) {
    if phase == .connecting {
      // The endpoint's FIN proves the connection. The client's has to wait for it: a socket that is
      // still connecting would be disconnected by shutdown(2).
      guard from == .server else { return watchForWriting(.server) }
      established()
    }
    if toServer.phase == .ended, toClient.phase == .ended { return close(.finished) }
    passFinOn(from: from)
  }

  private func passFinOn(from: Side) {
    shutdown(from == .client ? upstreamDescriptor : clientDescriptor, Int32(SHUT_WR))
    // The timer that turns keepalive on has to come first: a half-closed side may have nothing more to say.
    let quiet = min(served.port.timeouts.halfClosed, served.port.timeouts.idle)
    schedule(after: isKeptAlive ? quiet : min(quiet, Self.keepaliveAfter))
  }

  /// An error on a side that is not to be read: its reset is passed on at once.
  private func failedUnread(_ side: Side) {
    var error: CInt = 0
    _ = unsafe clinux_get_option(side == .client ? clientDescriptor : upstreamDescriptor, SOL_SOCKET, SO_ERROR, &error)
    guard error != 0 else { return }
    switch side {
    case .client: phase == .connecting ? clientLeft() : sideFailed(.client, error)
    case .server: phase == .connecting ? connectFailed(error) : sideFailed(.server, error)
    }
  }

  /// A side is gone: what it had still sent is in its socket, and belongs to the other.
  private func deliverLastBytes(of side: Side) {
    guard let traffic = unsafe traffic else { return }
    _ = side == .server ? toClient.stopSplicing() : toServer.stopSplicing()
    // Bounded: a socket whose peer has reset gets nothing new.
    for _ in 0..<64 {
      let progress: Relay.Progress
      switch side {
      case .server:
        guard toClient.wantsSource else { return }
        progress = unsafe toClient.sourceReady(
          shard, limit: BufferPool.blockSize, delivered: traffic.pointee.bytesOut)
      case .client:
        guard toServer.wantsSource else { return }
        progress = unsafe toServer.sourceReady(
          shard, limit: BufferPool.blockSize, delivered: traffic.pointee.bytesIn)
      }
      guard case .relayed = progress else { return }
    }
  }

  /// `side` has reset or its host is gone: the other is told by a reset.
  private func sideFailed(_ side: Side, _ error: CInt) {
    let isReset = error == ECONNRESET || error == EPIPE
    _ = clinux_reset_on_close(side == .client ? upstreamDescriptor : clientDescriptor)
    switch side {
    case .client: close(isReset ? .clientReset : .clientLost)
    case .server: close(isReset ? .serverReset : .serverLost)
    }
  }

  // MARK: - Connecting

  private func connect(source: IPAddress) {
    // One try gets at most a third of the time, the last one what is left.
    let left = served.port.timeouts.connect - (shard.clock.now - opened)
    guard left > 0 else { return refuse(.connectTimeout) }
    guard tried.count < Tried.capacity,
      let index = served.selector.select(source: source, tried: tried, random: &shard.random)
    else { return refuse(tried.count == 0 ? .noEndpoint : .connectFailed) }
    tried.insert(index)
    let chosen = served.endpoints[index]
    endpoint = chosen
    unsafe traffic = chosen.counters(ofShard: shard.index)
    let address = chosen.endpoint.address
    let descriptor: OwnedDescriptor
    do throws(Errno) {
      descriptor = try OwnedDescriptor(
        checking: clinux_socket(address.address.family == .v4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue)))
    } catch {
      return refuse(.outOfResources)
    }
    upstreamDescriptor = descriptor.rawValue
    toServer.setSink(upstreamDescriptor)
    toClient.setSource(upstreamDescriptor)
    upstream = consume descriptor
    let result = unsafe address.withSockaddr { unsafe Glibc.connect(upstreamDescriptor, $0, $1) }
    if result != 0, errno != EINPROGRESS { return connectFailed(errno) }
    // Not before: a socket that does not yet connect counts as hung up.
    guard watch(upstreamDescriptor, tag: upstreamTag) == 0 else { return refuse(.outOfResources) }
    schedule(after: min(left, served.port.timeouts.connect / Double(Tried.capacity)))
  }

  /// The try came to nothing: another endpoint, unless the fault is ours or the tries are used up.
  private func connectFailed(_ error: CInt) {
    guard let failed = endpoint, let counters = unsafe traffic else { return }
    let isLocal = [EADDRNOTAVAIL, EAGAIN, ENOBUFS, ENOMEM, EMFILE, ENFILE, EACCES, EPERM].contains(error)
    if isLocal { return refuse(.outOfResources) }
    unsafe counters.pointee.connectFailures.add()
    failed.active.wrappingSubtract(1, ordering: .relaxed)
    endpoint = nil
    unsafe traffic = nil
    upstream = nil
    upstreamDescriptor = -1
    isUpstreamEnding = false
    isUpstreamWriteWatched = false
    isUpstreamMuted = false
    guard tried.count < min(Tried.capacity, served.endpoints.count) else {
      return refuse(error == ETIMEDOUT ? .connectTimeout : .connectFailed)
    }
    served.counters.countRetry(shard: shard.index)
    connect(source: clientAddress)
    // What waits for the connection waits for this one now.
    if phase != .closed, toServer.isBlocked || toServer.phase == .ended { watchForWriting(.server) }
  }

  private func established() {
    phase = .relaying
    // The connect's timer runs on and looks at the other limits; only a shorter one needs it sooner.
    let timeouts = served.port.timeouts
    if timeouts.idle < timeouts.connect { schedule(after: timeouts.idle) }
    unsafe traffic?.pointee.connections.add()
    // A FIN that came before, whoever found out: the write event that waited for it may find nothing to do.
    if toServer.phase == .ended { passFinOn(from: .client) }
  }

  /// The client reset before an endpoint had answered: one that has accepted meanwhile is told.
  private func clientLeft() {
    if upstream != nil { _ = clinux_reset_on_close(upstreamDescriptor) }
    close(.clientLeft)
  }

  /// No endpoint for this client: it is reset, as a closed port would.
  private func refuse(_ reason: CloseReason) {
    _ = clinux_reset_on_close(clientDescriptor)
    close(reason)
  }

  private var isUpstreamEstablished: Bool {
    let state = clinux_tcp_state(upstreamDescriptor)
    return state == CInt(TCP_ESTABLISHED) || state == CInt(TCP_CLOSE_WAIT)
  }

  private var upstreamError: CInt {
    var error: CInt = 0
    _ = unsafe clinux_get_option(upstreamDescriptor, SOL_SOCKET, SO_ERROR, &error)
    return error == 0 ? ECONNREFUSED : error
  }

  /// Asked for again at a retry, rather than kept in each connection.
  private var clientAddress: IPAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe getpeername(
        clientDescriptor, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &length)
    }
    return result == 0 ? SocketAddress(storage)?.address ?? IPAddress(v4: 0) : IPAddress(v4: 0)
  }

  // MARK: - Closing

  /// Ends both sides and everything it holds. Once; later calls do nothing.
  func close(_ reason: CloseReason) {
    guard phase != .closed else { return }
    phase = .closed
    toServer.discard(shard)
    toClient.discard(shard)
    timer = nil
    upstream = nil
    client = nil
    endpoint?.active.wrappingSubtract(1, ordering: .relaxed)
    endpoint = nil
    unsafe traffic = nil
    served.counters.countClose(reason: reason.index, shard: shard.index)
    shard.connectionClosed(self)
  }

  /// Ends it with a reset to both sides.
  func abort(_ reason: CloseReason) {
    guard phase != .closed else { return }
    _ = clinux_reset_on_close(clientDescriptor)
    if upstream != nil { _ = clinux_reset_on_close(upstreamDescriptor) }
    close(reason)
  }
}
