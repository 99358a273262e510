import EventLoop
import Glibc
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct BorrowedWatcherTests {
  /// Posts the descriptor of each readiness, and stops its watcher.
  private final class Reader: EventHandler {
    let seen: Mailbox<CInt>
    var watcher: BorrowedWatcher?

    init(_ loop: EventLoop, _ descriptor: CInt, _ seen: Mailbox<CInt>) {
      self.seen = seen
      super.init()
      watcher = BorrowedWatcher(loop: loop, descriptor: descriptor, handler: self)
      watcher?.watch(.read)
    }

    override func ready(_ events: Readiness, on descriptor: CInt) {
      watcher?.watch([])
      seen.post(descriptor)
    }
  }

  @Test func `the descriptor stays open, and its number may be watched again for another file`() throws {
    let thread = try LoopThread(name: "borrowed")
    let seen = Mailbox<CInt>()
    // The first pipe is ready and its watcher stopped; then, in one turn, the number goes to another pipe.
    let first = try pipe()
    let reader = LoopBound(thread.loop) { Reader($0, first.reading, seen) }
    put(first.writing, "x")
    #expect(try seen.next() == first.reading)
    #expect(fcntl(first.reading, F_GETFD) >= 0)

    let second = try pipe()
    let again = LoopBound(thread.loop) { loop in
      #expect(dup2(second.reading, first.reading) == first.reading)
      return Reader(loop, first.reading, seen)
    }
    put(second.writing, "y")
    #expect(try seen.next() == first.reading)
    var byte: UInt8 = 0
    let count = unsafe read(first.reading, &byte, 1)
    #expect(count == 1 && byte == UInt8(ascii: "y"))
    withExtendedLifetime((reader, again)) { thread.stopAndJoin() }
    for descriptor in [first.reading, first.writing, second.reading, second.writing] { close(descriptor) }
  }

  @Test func `a watcher stopped before its descriptor is closed says nothing of the next one`() throws {
    let thread = try LoopThread(name: "borrowed")
    let seen = Mailbox<CInt>()
    let first = try pipe()
    let second = try pipe()
    let (watched, other) = (first.reading, second.reading)
    let done = Mailbox<Void>()
    let reader = LoopBound(thread.loop) { loop in
      let reader = Reader(loop, watched, seen)
      // Within the turn: what the kernel was never told of is stopped, closed and replaced by what is ready.
      reader.watcher?.watch([])
      dup2(other, watched)
      done.post(())
      return reader
    }
    try done.next()
    put(second.writing, "y")
    reader.submit { _ in done.post(()) }
    try done.next()
    #expect(seen.all.isEmpty)
    withExtendedLifetime(reader) { thread.stopAndJoin() }
    for descriptor in [watched, first.writing, other, second.writing] { close(descriptor) }
  }

  private func put(_ descriptor: CInt, _ text: String) {
    let count = unsafe write(descriptor, text, text.utf8.count)
    #expect(count == text.utf8.count)
  }

  private func pipe() throws -> (reading: CInt, writing: CInt) {
    var ends: [CInt] = [0, 0]
    guard unsafe Glibc.pipe(&ends) == 0 else { throw TestFailure("no pipe") }
    return (ends[0], ends[1])
  }
}
