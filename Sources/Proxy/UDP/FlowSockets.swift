/// The flows' sockets by their numbers. It holds them. Loop only.
@safe final class FlowSockets {
  // Retained: let go of when another takes the place, and in deinit.
  private let places = unsafe FlatArray<Unmanaged<FlowSocket>?>()

  deinit {
    for index in unsafe places.indices { unsafe places[index]?.release() }
  }

  subscript(id: FlowTable.FlowID) -> FlowSocket? {
    get { unsafe id < places.count ? places[id]?.takeUnretainedValue() : nil }
    set {
      while unsafe places.count <= id { unsafe places.append(nil) }
      let former = unsafe places[id]
      unsafe places[id] = newValue.map { unsafe .passRetained($0) }
      unsafe former?.release()
    }
  }

  /// Calls `body` with a flow's socket, if it has one, without counting a reference: a socket that is let go of
  /// meanwhile is retired (``FlowSocket/close()``) and lives to the end of the turn.
  func with(_ id: FlowTable.FlowID, _ body: (FlowSocket) -> Void) {
    guard unsafe id < places.count, let socket = unsafe places[id] else { return }
    unsafe socket._withUnsafeGuaranteedRef(body)
  }
}
