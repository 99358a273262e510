import ArgumentParser
import EventLoop
import Glibc

extension ParsableCommand {
  /// Runs load to its end, prints the result, and ends with 1 when there were errors.
  func measure(_ run: Run, target: Target) throws {
    // Asked to end, it tells what it has counted so far.
    let signals = try SignalWatcher(loop: run.loop, signals: [SIGTERM, SIGINT]) { _ in run.stop() }
    try withExtendedLifetime(signals) { try run.run() }
    for warning in run.warnings { Output.tell(warning) }
    Output.print(run.json(work: Self._commandName, target: target))
    if run.errors.total > 0 { throw ExitCode.failure }
  }
}
