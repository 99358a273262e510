import ArgumentParser

/// A command that takes its signals by a `SignalWatcher`: they are blocked before it runs, on all threads.
protocol SignalTaking: ParsableCommand {
  /// What is blocked.
  static var signals: [CInt] { get }
}
