import EventLoop
import Glibc
import TestKit
import Testing

@Suite struct SignalWatcherTests {
  @Test("a blocked signal arrives on the loop, each kind once", .timeLimit(.minutes(1)))
  func arrives() throws {
    let thread = try LoopThread(name: "signals")
    let seen = Mailbox<CInt>()
    // A loop thread has all signals blocked, and they are sent to it alone.
    let watcher = LoopBound(thread.loop) { loop in
      guard let watcher = try? SignalWatcher(loop: loop, signals: [SIGUSR1, SIGHUP], received: { seen.post($0) }) else {
        preconditionFailure("signalfd refused")
      }
      return watcher
    }
    watcher.submit { _ in
      pthread_kill(pthread_self(), SIGUSR1)
      pthread_kill(pthread_self(), SIGHUP)
    }
    #expect(Set([try seen.next(), try seen.next()]) == [SIGUSR1, SIGHUP])
    withExtendedLifetime(watcher) { thread.stopAndJoin() }
  }
}
