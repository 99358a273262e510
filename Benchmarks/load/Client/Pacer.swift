import EventLoop

/// The open loop: requests are due at even distances, whatever becomes of those before. Lives on its run's loop.
///
/// A request that is due goes to the client that has been free for the longest; where none is free it waits for one,
/// and its latency counts from when it was due.
@safe final class Pacer: EventHandler {
  private let run: Run
  /// Nanoseconds from one request to the next.
  private let distance: Double
  private var timer: MomentTimer?
  private var isArmed = false
  private var start: UInt64 = 0
  /// The next request that has not gone, and the first that is never to go.
  private var next = 0
  private var end = Int.max
  private var isBegun = false
  // A ring of those that are free, allocated in init, freed in deinit. The crowd holds them. One that has failed and come
  // back is there twice, for which there is room as long as a run endures errors.
  private let ring: UnsafeMutablePointer<Unmanaged<Client>>
  private let capacity: Int
  private var first = 0
  private var count = 0

  private static let lateness: UInt64 = 1_000_000

  /// `rate` requests a second over so many clients.
  init(run: Run, rate: Double, clients: Int) throws(Errno) {
    self.run = run
    distance = 1e9 / rate
    capacity = clients + Run.mostErrors + 1
    unsafe ring = .allocate(capacity: capacity)
    super.init()
    timer = try MomentTimer(loop: run.loop, handler: self)
  }

  deinit { unsafe ring.deallocate() }

  /// When a request is due.
  private func due(_ number: Int) -> UInt64 { start &+ UInt64(Double(number) * distance) }

  /// How many requests were due by `now`.
  private func number(by now: UInt64) -> Int { now < start ? 0 : Int((Double(now &- start) / distance).rounded(.up)) }

  /// All clients are open.
  func begin(at now: UInt64) {
    start = now
    isBegun = true
    arm()
  }

  func windowBegan(at now: UInt64) {
    // What is due by now belongs to the warm-up.
    if let count = run.limits.count { end = (isBegun ? number(by: now) : 0) + count }
  }

  func windowEnded(at now: UInt64) { end = min(end, number(by: now)) }

  /// Requests that were due and have not gone.
  var queued: Int { isBegun ? max(min(end, number(by: Clock.now)) - next, 0) : 0 }

  /// A client has its reply, and is free.
  func take(_ client: Client, at now: UInt64) {
    if count == 0, isBegun, next < end {
      let due = due(next)
      if due <= now {
        if begin(client, due: due, now: now) { run.latency.queued += 1 }
        return
      }
    }
    guard count < capacity else { return }
    client.isFree = true
    let last = first + count < capacity ? first + count : first + count - capacity
    unsafe (ring + last).initialize(to: .passUnretained(client))
    count += 1
    if !isArmed, isBegun { arm() }
  }

  /// Something is due.
  override func ready(_ events: Readiness, on descriptor: CInt) {
    isArmed = false
    let now = Clock.now
    while next < end, count > 0 {
      let due = due(next)
      guard due <= now else { break }
      let client = unsafe ring[first]
      first = first + 1 < capacity ? first + 1 : 0
      count -= 1
      unsafe client._withUnsafeGuaranteedRef { client in
        guard client.isFree else { return }
        if begin(client, due: due, now: now), now &- due > Self.lateness { run.latency.late += 1 }
      }
    }
    arm()
  }

  /// Sends the next request; whether it counts.
  private func begin(_ client: Client, due: UInt64, now: UInt64) -> Bool {
    next += 1
    client.isFree = false
    let isCounted = run.begin(dueAt: due)
    client.request(startedAt: due, now: now)
    if next == end { run.endWindow(now) }
    return isCounted
  }

  private func arm() {
    // With nobody free there is nothing to wake for.
    isArmed = next < end && count > 0
    timer?.arm(at: isArmed ? due(next) : 0)
  }
}
