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
/// The connect is not probed for: the upstream is watched for reading only, and the first send or receive tells
/// how it went. Only bytes (or a FIN) that wait for it make it watched for writing.
///
/// ## Concurrency model
/// Lives on its shard's thread. The shard's table holds it; libev does not. ``close(_:)`` takes it from the table
/// and hands it to the loop's retired objects, so it may be called from within the connection's own callbacks.
@safe final class Connection: EventHandler {
  enum Phase { case connecting, relaying, closed }
  enum Side { case client, server }

  let shard: Shard
  let served: ServedPort
  private(set) var phase = Phase.connecting
  /// The endpoint it is at, whose `active` count includes it.
  private(set) var endpoint: EndpointState?
  // Valid while `endpoint` is held.
  private var traffic: UnsafeMutablePointer<TrafficCounters>?
  private var client: ReadinessWatcher?
  private var upstream: ReadinessWatcher?
  let clientDescriptor: CInt
  private var upstreamDescriptor: CInt = -1
  private let toServer: Relay
  private let toClient: Relay
  /// What is watched for now, as ``Readiness`` raw values.
  private var clientInterest: Int32 = 0
  private var upstreamInterest: Int32 = 0
  private var timer: TimerWatcher?
  /// ``LoopClock/now`` of the last byte either way.
  private var lastActivity: Double
  private let opened: Double
  private var tried = Tried()
  private var isKeptAlive = false
  private var isClientHangUpWatched = false
  private var isUpstreamHangUpWatched = false
  /// Its place in the shard's table.
  var slot = -1

  // Upstream keepalive is a system call that short connections are spared.
  private static let keepaliveAfter = 30.0
  // Most half-closed connections end at once; the others' resets are listened for after this.
  private static let hangUpWatchAfter = 0.2

  init(shard: Shard, served: ServedPort, client: consuming OwnedDescriptor) {
    self.shard = shard
    self.served = served
    clientDescriptor = client.rawValue
    toServer = .toServer(from: client.rawValue)
    toClient = .toClient(client.rawValue)
    opened = shard.clock.now
    lastActivity = opened
    super.init()
    self.client = ReadinessWatcher(loop: shard.loop, descriptor: client, handler: self)
    timer = TimerWatcher(loop: shard.loop, handler: self)
  }

  /// Chooses an endpoint for the client at `source` and starts to connect. Once, after the table holds it.
  func open(source: IPAddress) {
    connect(source: source)
    if phase != .closed { updateInterest() }
  }

  // MARK: - Events

  override func ready(_ events: Readiness, on descriptor: CInt) {
    guard phase != .closed else { return }
    if descriptor == clientDescriptor {
      if events.contains(.write) { sinkReady(.client) }
      if events.contains(.read), phase != .closed { sourceReady(.client) }
    } else {
      if events.contains(.write) { sinkReady(.server) }
      // The upstream may have been changed for another just now.
      if events.contains(.read), phase != .closed, descriptor == upstreamDescriptor { sourceReady(.server) }
    }
  }

  override func timerFired() {
    guard phase != .closed else { return }
    if phase == .connecting {
      guard isUpstreamEstablished else { return connectFailed(ETIMEDOUT) }
      established()
    }
    watchForHangUp()
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
      TCPOptions.keepAlive(upstreamDescriptor)
    }
    let toKeepalive = isKeptAlive ? Double.infinity : Self.keepaliveAfter - age
    schedule(after: min(limit - quiet, toKeepalive))
  }

  /// Ends it for want of bytes. Whoever still has some to get is reset: a FIN would say that those were all.
  private func expire(_ reason: CloseReason) {
    if toServer.isBlocked, let upstream = upstream?.descriptor { _ = clinux_reset_on_close(upstream) }
    if toClient.isBlocked { _ = clinux_reset_on_close(clientDescriptor) }
    close(reason)
  }

  private func schedule(after seconds: Double) { timer?.schedule(after: max(seconds, 0.001)) }

  // MARK: - Relaying

  /// The side `from` has something to read.
  private func sourceReady(_ from: Side) {
    let isConnecting = phase == .connecting
    let limit = isConnecting ? BufferPool.smallReadSize : shard.buffers.readSize
    guard let traffic = unsafe traffic else { return }
    switch from {
    case .client:
      guard toServer.wantsSource else { return }
      unsafe handle(toServer.sourceReady(shard, limit: limit, delivered: traffic.pointee.bytesIn), from: .client)
    case .server:
      guard toClient.wantsSource else { return }
      unsafe handle(toClient.sourceReady(shard, limit: limit, delivered: traffic.pointee.bytesOut), from: .server)
    }
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
    case .client:
      unsafe handle(toClient.sinkReady(shard, delivered: traffic.pointee.bytesOut), from: .server)
    }
  }

  private func handle(_ progress: Relay.Progress, from: Side) {
    switch progress {
    case .relayed:
      lastActivity = shard.clock.now
      if phase == .connecting { established() }
      updateInterest()
    case .idle: break
    case .blocked:
      lastActivity = shard.clock.now
      // Bytes from the endpoint prove it; bytes to it may all still wait.
      if phase == .connecting, from == .server || toServer.isPartlySent { established() }
      updateInterest()
      watchForHangUp()
    case .ended:
      lastActivity = shard.clock.now
      relayEnded(from: from)
    case .sourceFailed(let error):
      if phase == .connecting {
        return from == .server ? connectFailed(error) : clientLeft()
      }
      sideFailed(from, error)
    case .sinkFailed(let error):
      if phase == .connecting, from == .client { return connectFailed(error) }
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
      guard from == .server else { return updateInterest() }
      established()
    }
    if toServer.phase == .ended, toClient.phase == .ended { return close(.finished) }
    passFinOn(from: from)
  }

  private func passFinOn(from: Side) {
    shutdown(from == .client ? upstreamDescriptor : clientDescriptor, Int32(SHUT_WR))
    schedule(after: min(Self.hangUpWatchAfter, served.port.timeouts.halfClosed))
    updateInterest()
  }

  /// A side that is not read from cannot tell of its reset by reading.
  private func watchForHangUp() {
    if !isClientHangUpWatched, !toServer.wantsSource {
      isClientHangUpWatched = true
      shard.hangUps?.add(clientDescriptor, slot: slot)
    }
    if !isUpstreamHangUpWatched, phase == .relaying, !toClient.wantsSource {
      isUpstreamHangUpWatched = true
      shard.hangUps?.add(upstreamDescriptor, slot: slot)
    }
  }

  /// ``HangUpWatch`` heard of one of its descriptors: a reset, or the harmless end of both directions.
  func hungUp(_ descriptor: CInt) {
    guard phase != .closed, descriptor == clientDescriptor || descriptor == upstreamDescriptor else { return }
    var error: CInt = 0
    _ = unsafe clinux_get_option(descriptor, SOL_SOCKET, SO_ERROR, &error)
    guard error != 0 else { return }
    if descriptor == clientDescriptor { return phase == .connecting ? clientLeft() : sideFailed(.client, error) }
    if phase == .connecting { connectFailed(error) } else { sideFailed(.server, error) }
  }

  /// A side is gone: what it had still sent is in its socket, and belongs to the other.
  private func deliverLastBytes(of side: Side) {
    guard let traffic = unsafe traffic else { return }
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
    if let other = side == .client ? upstream?.descriptor : client?.descriptor { _ = clinux_reset_on_close(other) }
    switch side {
    case .client: close(isReset ? .clientReset : .clientLost)
    case .server: close(isReset ? .serverReset : .serverLost)
    }
  }

  private func updateInterest() {
    var clientEvents = toServer.wantsSource ? Readiness.read : []
    if toClient.isBlocked { clientEvents.insert(.write) }
    if clientEvents.rawValue != clientInterest {
      clientInterest = clientEvents.rawValue
      client?.watch(clientEvents)
    }
    var upstreamEvents = toClient.wantsSource ? Readiness.read : []
    if toServer.isBlocked || (phase == .connecting && toServer.phase == .ended) { upstreamEvents.insert(.write) }
    if upstreamEvents.rawValue != upstreamInterest {
      upstreamInterest = upstreamEvents.rawValue
      upstream?.watch(upstreamEvents)
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
    upstream = ReadinessWatcher(loop: shard.loop, descriptor: descriptor, handler: self)
    upstreamInterest = 0
    let result = unsafe address.withSockaddr { unsafe Glibc.connect(upstreamDescriptor, $0, $1) }
    if result != 0, errno != EINPROGRESS { return connectFailed(errno) }
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
    isUpstreamHangUpWatched = false
    guard tried.count < min(Tried.capacity, served.endpoints.count) else {
      return refuse(error == ETIMEDOUT ? .connectTimeout : .connectFailed)
    }
    served.counters.countRetry(shard: shard.index)
    connect(source: clientAddress)
    if phase != .closed { updateInterest() }
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
    if let upstream = upstream?.descriptor { _ = clinux_reset_on_close(upstream) }
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
    if let upstream = upstream?.descriptor { _ = clinux_reset_on_close(upstream) }
    close(reason)
  }
}
