import CLibEv
import Glibc

/// A thread of its own that drives one ``EventLoop``.
///
/// Any thread may make and end it. All signals are blocked on it: the process takes them elsewhere.
public final class LoopThread: Sendable {
  public let loop: EventLoop
  private let thread: pthread_t

  /// Starts the thread. `name` shows in ps(1) and top(1); the kernel keeps its first 15 bytes.
  public init(name: String, loop: EventLoop = EventLoop()) throws(Errno) {
    self.loop = loop
    var thread = pthread_t()
    // Released by the thread itself, at its end.
    let parcel = unsafe Unmanaged.passRetained(loop)
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    // A new thread inherits the mask, so no signal can reach it first.
    unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
    let result = unsafe pthread_create(&thread, nil, driveLoop, parcel.toOpaque())
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    guard result == 0 else {
      unsafe parcel.release()
      throw Errno(rawValue: result)
    }
    unsafe clinux_name_thread(thread, String(name.prefix(15)))
    self.thread = thread
  }

  /// Pins the thread to one CPU core (sched_setaffinity(2)).
  public func pin(toCore core: Int) throws(Errno) {
    let result = clinux_pin_thread(thread, CInt(core))
    guard result == 0 else { throw Errno(rawValue: result) }
  }

  /// Ends the loop and waits for the thread. Not from the loop itself; once.
  public func stopAndJoin() {
    let loop = loop
    loop.submit { loop.stop() }
    pthread_join(thread, nil)
  }
}

private let driveLoop: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { parcel in
  guard let parcel = unsafe parcel else { return nil }
  let loop = unsafe Unmanaged<EventLoop>.fromOpaque(parcel).takeRetainedValue()
  loop.run()
  return nil
}
