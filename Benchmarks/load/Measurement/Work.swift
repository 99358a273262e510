/// What a run does with its clients. Lives on the run's loop.
class Work {
  /// Opens what there is to open. Each client tells the run when it is, by ``Run/clientOpened()``.
  func begin() {}

  /// All clients are open.
  func opened(at now: UInt64) {}

  /// The counted window begins.
  func windowBegan(at now: UInt64) {}

  /// The counted window is over: nothing new begins.
  func windowEnded(at now: UInt64) {}

  /// Called every 100 ms: what takes too long, and what is to be opened again.
  func sweep(at now: UInt64) {}

  /// How many units of the window have not begun, though it is over.
  var queued: Int { 0 }

  /// Whether no progress is to be expected while no unit is under way.
  var isAtRest: Bool { true }

  /// Closes everything.
  func close() {}
}
