/// Receives readiness for the descriptors it watches, and the end of its timers. Subclass it.
///
/// Neither loop nor watcher retains it: an owner that lets go of it within ``ready(_:on:)``
/// hands it to ``EventLoop/retire(_:)``.
open class EventHandler {
  public init() {}

  /// Called on the loop with the descriptor and the events that are ready.
  open func ready(_ events: Readiness, on descriptor: CInt) {}

  /// Called on the loop with what has become of a socket that an ``EdgePoll`` watches for it, and the tag it was added with.
  open func edge(_ events: EdgeEvents, tag: Int) {}

  /// Called on the loop, once per ``TimerWatcher/schedule(after:)``. The handler lives through the call.
  open func timerFired() {}

  /// Called at the end of a turn for which ``EventLoop/askForTurnEnd()`` was called, to those that were added by
  /// ``EventLoop/addTurnHandler(_:)``.
  open func turnEnded() {}
}
