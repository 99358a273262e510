import Glibc
import Synchronization

/// A thread that runs one closure, on a small stack so that thousands fit.
///
/// Any thread may make and join it.
public final class TestThread: Sendable {
  private let thread: pthread_t
  private let isJoined = Atomic(false)

  /// Starts the thread. What `body` throws is the result of ``join()``.
  public init(stackBytes: Int = 512 << 10, _ body: @escaping @Sendable () -> Void) throws {
    let work = Work(body)
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setstacksize(&attributes, stackBytes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    // Released by the thread itself, at its start.
    let parcel = unsafe Unmanaged.passRetained(work)
    var thread = pthread_t()
    let result = unsafe pthread_create(&thread, &attributes, runWork, parcel.toOpaque())
    guard result == 0 else {
      unsafe parcel.release()
      throw TestFailure("no thread: \(errorText(result))")
    }
    self.thread = thread
  }

  /// Waits for the closure's end. A second call returns at once.
  public func join() {
    if !isJoined.exchange(true, ordering: .relaxed) { pthread_join(thread, nil) }
  }

  /// Lets the thread end by itself; not together with ``join()``.
  public func detach() { pthread_detach(thread) }
}

private final class Work: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private let runWork: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { parcel in
  guard let parcel = unsafe parcel else { return nil }
  unsafe Unmanaged<Work>.fromOpaque(parcel).takeRetainedValue().body()
  return nil
}

/// The system's sentence for an error number.
func errorText(_ number: CInt = errno) -> String {
  guard let text = unsafe strerror(number) else { return "error \(number)" }
  return unsafe String(cString: text)
}
