import CLibEv

/// Reads an ``EventLoop``'s time. Loop only; the loop must outlive it.
@safe public struct LoopClock {
  // The loop's own, which live as long as it does.
  let loop: OpaquePointer
  let timer: UnsafeMutablePointer<ev_timer>

  /// Far enough never to fire: the time is read from what remains of it.
  static let span = 1e12

  /// Seconds since the loop was made, as of the start of this turn: monotonic, without a clock call.
  public var now: Double { unsafe Self.span - ev_timer_remaining(loop, timer) }
}
