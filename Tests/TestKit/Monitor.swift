import Glibc

/// A value that several threads change, and wait on: a mutex and a condition of pthreads.
///
/// Any thread may call it.
@safe public final class Monitor<State>: @unchecked Sendable {
  // Allocated once and freed in deinit, so the pointers live as long as the object;
  // `state` is touched only with the mutex held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var state: State

  public init(_ state: sending State) {
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    self.state = state
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Changes the state and wakes everyone who waits.
  public func update<R>(_ body: (inout State) throws -> R) rethrows -> R {
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(condition)
      unsafe pthread_mutex_unlock(mutex)
    }
    return try body(&state)
  }

  /// Waits until `body` gives a value; nil when it does not before the deadline.
  public func wait<R>(until deadline: Deadline, _ body: (inout State) -> R?) -> R? {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state) { return result }
      if deadline.hasPassed { return nil }
      var moment = timespec()
      unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
      let (seconds, attoseconds) = deadline.remaining.components
      let nanoseconds = moment.tv_nsec + Int(attoseconds / 1_000_000_000)
      moment.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
      moment.tv_nsec = nanoseconds % 1_000_000_000
      unsafe pthread_cond_timedwait(condition, mutex, &moment)
    }
  }
}

/// Where threads of a test leave what they saw for the test to take, in order.
public final class Mailbox<Item: Sendable>: Sendable {
  private let items = Monitor<[Item]>([])

  public init() {}

  public func post(_ item: Item) { items.update { $0.append(item) } }

  /// Takes the oldest item; throws when none comes in time.
  public func next(_ what: String = "an item", within span: Duration = .seconds(10)) throws -> Item {
    let deadline = Deadline.after(span)
    let item = items.wait(until: deadline) { $0.isEmpty ? nil : $0.removeFirst() }
    guard let item else { throw deadline.failure(what) }
    return item
  }

  /// What is there now and nobody took.
  public var all: [Item] { items.update { $0 } }
}
