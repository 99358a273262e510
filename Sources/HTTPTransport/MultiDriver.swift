import CLibCurl
import EventLoop

/// Runs all transfers of one transport: libcurl's multi handle on libev watchers. Loop only, including its end.
///
/// libcurl must not be entered again from its own callbacks, so these only set watchers and fill sinks; starts, ends
/// and resumes come in as tasks of the loop or as timers.
@safe final class MultiDriver {
  let options: TransportOptions
  let loop: EventLoop
  // Made in init, freed in deinit.
  private let multi: UnsafeMutableRawPointer
  private var transfers: [ObjectIdentifier: Transfer] = [:]
  private var sockets: [CInt: SocketWatch] = [:]
  private var clock: CurlClock?

  // Once for the process, before any other call to libcurl; Swift makes sure of that.
  private static let isReady = clibcurl_global_init() == CURLE_OK

  init(loop: EventLoop, options: TransportOptions) {
    precondition(Self.isReady, "libcurl could not be initialised")
    guard let multi = unsafe curl_multi_init() else { preconditionFailure("out of memory") }
    unsafe self.multi = multi
    self.loop = loop
    self.options = options
    clock = CurlClock(driver: self)
    // deinit takes the callbacks back before the object is gone.
    unsafe clibcurl_multi_set_callbacks(multi, onSocket, onTimer, Unmanaged.passUnretained(self).toOpaque())
    unsafe clibcurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, options.pooledConnections)
  }

  deinit {
    unsafe clibcurl_multi_set_callbacks(multi, nil, nil, nil)
    for watch in sockets.values { watch.stop() }
    for transfer in transfers.values {
      unsafe curl_multi_remove_handle(multi, transfer.easy.raw)
      transfer.sink.end(.cancelled)
    }
    transfers.removeAll()
    unsafe curl_multi_cleanup(multi)
  }

  func start(_ request: HTTPRequest, ticket: TransferTicket, sink: any ResponseSink) {
    loop.preconditionCurrent()
    guard !ticket.isCancelled else { return sink.end(.cancelled) }
    do throws(HTTPTransportError) {
      let transfer = try Transfer(request, ticket: ticket, sink: sink, driver: self)
      transfers[ObjectIdentifier(ticket)] = transfer
      transfer.touch()
      // Only asks for the timer: the request begins in a later turn.
      unsafe curl_multi_add_handle(multi, transfer.easy.raw)
    } catch {
      sink.end(error)
    }
  }

  /// Ends a transfer from our side; nothing happens when it has ended already.
  func end(_ ticket: TransferTicket, _ error: HTTPTransportError) {
    loop.preconditionCurrent()
    guard let transfer = transfers[ObjectIdentifier(ticket)] else { return }
    remove(transfer, error)
  }

  /// Lets a paused transfer go on. libcurl may offer the kept bytes at once.
  func resume(_ ticket: TransferTicket) {
    loop.preconditionCurrent()
    guard let transfer = transfers[ObjectIdentifier(ticket)] else { return }
    transfer.touch()
    let code = unsafe curl_easy_pause(transfer.easy.raw, CURLPAUSE_CONT)
    if code != CURLE_OK { return remove(transfer, transfer.error(for: code)) }
    reapDone()
  }

  /// Tells libcurl that a socket is ready, or its time has come. Not within one of its callbacks.
  func advance(_ socket: curl_socket_t, _ events: CInt) {
    var running: CInt = 0
    unsafe curl_multi_socket_action(multi, socket, events, &running)
    reapDone()
  }

  fileprivate func watch(_ socket: curl_socket_t, _ what: CInt) {
    if what == CURL_POLL_REMOVE {
      guard let watch = sockets.removeValue(forKey: socket) else { return }
      watch.stop()
      // It may be the very watch whose callback runs.
      return loop.retire(watch)
    }
    let watch = sockets[socket] ?? SocketWatch(driver: self, socket: socket)
    sockets[socket] = watch
    watch.watch(what)
  }

  fileprivate func setTimer(milliseconds: Int) { clock?.set(milliseconds: milliseconds) }

  private func reapDone() {
    var code = CURLE_OK
    while let easy = unsafe clibcurl_multi_next_done(multi, &code) {
      guard let context = unsafe clibcurl_private(easy) else { continue }
      // Held by `transfers` until `remove`, and by this reference.
      let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
      remove(transfer, transfer.error(for: code))
    }
  }

  private func remove(_ transfer: Transfer, _ error: HTTPTransportError?) {
    unsafe curl_multi_remove_handle(multi, transfer.easy.raw)
    transfers[ObjectIdentifier(transfer.ticket)] = nil
    transfer.sink.end(error)
  }
}

// File scope on purpose: a closure literal written inside isolated code inherits that isolation.
private let onSocket: clibcurl_socket_callback = { _, socket, what, context, _ in
  guard let context = unsafe context else { return 0 }
  unsafe Unmanaged<MultiDriver>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.watch(socket, what) }
  return 0
}

private let onTimer: clibcurl_timer_callback = { _, milliseconds, context in
  guard let context = unsafe context else { return 0 }
  unsafe Unmanaged<MultiDriver>.fromOpaque(context)._withUnsafeGuaranteedRef {
    $0.setTimer(milliseconds: milliseconds)
  }
  return 0
}
