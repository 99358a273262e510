import EventLoop
import Glibc

/// One run of load: when it counts, what it has counted, when it ends. Lives on its loop.
///
/// | phase | in it | leaves for |
/// |---|---|---|
/// | `opening` | clients connect, nothing is counted | `warmingUp`, when all are open |
/// | `warmingUp` | the load runs, nothing is counted | `counting`, after `--warm-up` |
/// | `counting` | units, bytes, latencies and CPU time are counted | `draining`, after `--seconds` or `--count` |
/// | `draining` | what is under way may end | `over` |
/// | `over` | the loop is stopped | |
///
/// Without a warm-up a run begins with `counting`. Ten seconds without any progress end each phase,
/// and draining takes no longer in all.
final class Run: EventHandler {
  enum Phase {
    case opening
    case warmingUp
    case counting
    case draining
    case over
  }

  let loop: EventLoop
  let limits: Limits
  private(set) var phase = Phase.opening
  private(set) var errors = ErrorCounts()
  private(set) var units = 0
  private(set) var bytes = 0
  private(set) var sent = 0
  private(set) var lost = 0
  /// Units that were done when the window ended. In an open loop ``units`` are those that were due in it.
  private(set) var completedInWindow = 0
  /// Whether another counts the units, and tells after the window.
  private var isCountedElsewhere = false
  var latency = Latency()
  /// Units that have begun and not ended.
  private(set) var underWay = 0
  /// What units and those under way may come to: `Int.min` when nothing may begin any more.
  private var most = Int.max
  /// Units that began before this are not counted.
  private var countedFrom = UInt64.max
  private var isCounting = false
  private var isDraining = false

  private let work: Work
  private let clients: Int
  /// Whether a unit belongs to the window in which it was due, not to that in which it ended.
  private let countsByDueTime: Bool
  /// How long a reply, or any progress, is waited for, in nanoseconds.
  let patience: UInt64
  private var opened = 0
  private var timer: TimerWatcher?
  private var deadline = UInt64.max
  private(set) var windowStart: UInt64 = 0
  private(set) var windowEnd: UInt64 = 0
  /// When the last unit came that counted after the window's end.
  private var lastUnitAt: UInt64 = 0
  private var before = CPUTimes()
  private var after = CPUTimes()
  // Changes with everything that comes.
  private var progress = 0
  private var lastProgress = 0
  private var lastProgressAt: UInt64 = 0
  /// What made it end before its time.
  private(set) var failure: (any Error)?

  /// Errors after which it gives up.
  static let mostErrors = 1000
  private static let tick = 0.1

  init(loop: EventLoop, limits: Limits, clients: Int, countsByDueTime: Bool = false, work: Work) {
    self.loop = loop
    self.limits = limits
    self.clients = clients
    self.countsByDueTime = countsByDueTime
    self.work = work
    patience = UInt64(limits.patience * 1e9)
  }

  /// Runs to the end. Throws when a watched process is gone.
  func run() throws {
    timer = TimerWatcher(loop: loop, handler: self)
    lastProgressAt = Clock.now
    // Waiting for all to be open would be load that is not counted.
    if limits.warmUp == 0, !countsByDueTime { beginWindow() }
    work.begin()
    timer?.schedule(after: Self.tick)
    if phase != .over { loop.run() }
    timer = nil
    work.close()
    if let failure { throw failure }
  }

  // MARK: - Units

  /// Whether another unit may begin; it is under way then.
  @inline(__always) func begin() -> Bool {
    guard units &+ underWay < most else { return false }
    underWay &+= 1
    if isCounting, !countsByDueTime { sent &+= 1 }
    return true
  }

  /// A unit begins that was due; whether it counts.
  func begin(dueAt due: UInt64) -> Bool {
    underWay &+= 1
    guard due >= countedFrom else { return false }
    sent &+= 1
    return true
  }

  /// A unit has ended well. It began at `start` or was due then.
  @inline(__always) func finish(startedAt start: UInt64, now: UInt64, bytes count: Int) {
    underWay &-= 1
    progress &+= 1
    if start >= countedFrom {
      units &+= 1
      bytes &+= count
      latency.record(now &- start)
      if units == most { endWindow(now) }
      if isDraining { lastUnitAt = now }
    }
    if isDraining { endIfDrained() }
  }

  /// A unit that is no more under way, without having ended well.
  func abandon() {
    underWay -= 1
    if isDraining { endIfDrained() }
  }

  /// Bytes that have gone or come, each a unit.
  @inline(__always) func add(_ count: Int) {
    progress &+= 1
    guard isCounting else { return }
    units &+= count
    bytes &+= count
    sent &+= count
    if let most = limits.count, units >= most { unitsReached() }
  }

  /// How many bytes are still to go or to come, at most.
  @inline(__always) var wanted: Int { isCounting ? (limits.count ?? .max) &- units : .max }

  private func unitsReached() { endWindow(Clock.now) }

  /// Datagrams that have gone, and are counted where they arrive.
  @inline(__always) func addSent(_ count: Int) {
    guard isCounting else { return }
    sent &+= count
    if let most = limits.count, sent >= most { unitsReached() }
  }

  /// How many datagrams may still go, at most.
  @inline(__always) var unsent: Int { isCounting ? (limits.count ?? .max) &- sent : .max }

  /// Datagrams that have arrived, of `count` that were sent.
  func addArrived(_ arrived: Int, of count: Int, bytes: Int) {
    progress &+= 1
    isCountedElsewhere = true
    units += arrived
    self.bytes += bytes
    lost += max(count - arrived, 0)
  }

  func lose(sentAt time: UInt64) {
    if isCounting || isDraining, time >= windowStart { lost += 1 }
  }

  /// Something that is no unit has come or gone on.
  func note() { progress &+= 1 }

  /// A stream whose end is waited for.
  func hold() { underWay += 1 }

  // MARK: - Failures

  /// Counts an error; the first of them is told.
  func fail(_ kind: ErrorKind, _ text: @autoclosure () -> String) {
    guard phase != .over else { return }
    if errors.total == 0 { Output.tell("first error: \(kind.rawValue): \(text())") }
    errors.add(kind)
    if errors.total >= Self.mostErrors {
      Output.tell("\(errors.total) errors: giving up")
      end()
    }
  }

  /// Ends it at once: a signal, or what makes no sense to go on from.
  func stop(for failure: (any Error)? = nil) {
    if self.failure == nil { self.failure = failure }
    if phase == .counting { endWindow(Clock.now) }
    end()
  }

  // MARK: - Phases

  /// A client is connected, and has had its first reply where there are replies.
  func clientOpened() {
    opened += 1
    guard opened == clients else { return }
    work.opened(at: Clock.now)
    guard phase == .opening else { return }
    if limits.warmUp == 0 { return beginWindow() }
    phase = .warmingUp
    schedule(limits.warmUp)
  }

  private func schedule(_ seconds: Double) {
    deadline = seconds.isFinite ? Clock.now &+ UInt64(min(seconds, 1e9) * 1e9) : .max
    scheduleTimer(Clock.now)
  }

  private func beginWindow() {
    do { before = try CPUTimes.read(watching: limits.watched) } catch { return stop(for: error) }
    phase = .counting
    windowStart = Clock.now
    isCounting = true
    countedFrom = countsByDueTime ? windowStart : 0
    if let count = limits.count, !countsByDueTime { most = count }
    work.windowBegan(at: windowStart)
    schedule(limits.count == nil ? limits.seconds : .infinity)
  }

  /// Ends the counted window, now or when its work has found that all is done.
  func endWindow(_ now: UInt64) {
    guard phase == .counting else { return }
    windowEnd = now
    completedInWindow = units
    isCounting = false
    most = .min
    if !countsByDueTime { countedFrom = .max }
    phase = .draining
    deadline = now &+ patience
    do { after = try CPUTimes.read(watching: limits.watched) } catch { failure = error }
    isDraining = true
    work.windowEnded(at: now)
    endIfDrained()
  }

  private func endIfDrained() {
    if phase == .draining, underWay <= 0, work.queued == 0 { end() }
  }

  private func end() {
    guard phase != .over else { return }
    if windowEnd == 0 {
      windowEnd = Clock.now
      do { after = try CPUTimes.read(watching: limits.watched) } catch { failure = failure ?? error }
    }
    isCounting = false
    isDraining = false
    most = .min
    phase = .over
    // A run in which nothing went through is no success, whatever it was that nobody heard of.
    if units == 0, errors.total == 0, failure == nil { errors.add(.timeout) }
    if loop.isCurrent { loop.stop() }
  }

  // MARK: - Time

  override func timerFired() {
    let now = Clock.now
    if now >= deadline {
      deadline = .max
      switch phase {
      case .warmingUp: beginWindow()
      case .counting: endWindow(now)
      case .draining: return giveUp("not all that was under way has ended within \(limits.patience) s")
      case .opening, .over: break
      }
    }
    if progress != lastProgress || isAtRest {
      lastProgress = progress
      lastProgressAt = now
    } else if now &- lastProgressAt > patience {
      return giveUp("no progress for \(limits.patience) s")
    }
    guard phase != .over else { return }
    work.sweep(at: now)
    if phase != .over { scheduleTimer(now) }
  }

  /// Whether nothing is waited for.
  private var isAtRest: Bool { underWay <= 0 && phase != .opening && work.isAtRest }

  private func giveUp(_ reason: String) {
    errors.add(.timeout, max(underWay + work.queued, 1))
    Output.tell("\(reason): giving up")
    stop()
  }

  private func scheduleTimer(_ now: UInt64) {
    let left = deadline > now ? Double(deadline &- now) / 1e9 : 0
    timer?.schedule(after: min(Self.tick, left))
  }

  // MARK: - The result

  /// How long after the window's end the last unit came that counts.
  var drainSeconds: Double { lastUnitAt > windowEnd ? Double(lastUnitAt &- windowEnd) / 1e9 : 0 }

  private var seconds: Double { windowStart == 0 ? 0 : Double(windowEnd &- windowStart) / 1e9 }

  /// What is to be known before the figures are believed, in words.
  var warnings: [String] {
    var warnings: [String] = []
    // One may be under way at the end of any window.
    if countsByDueTime, units > completedInWindow + 1, Double(completedInWindow) < 0.99 * Double(units) {
      warnings.append(
        "only \(completedInWindow) of \(units) replies came within the window of \(JSON.seconds(seconds)) s, the last "
          + "\(JSON.seconds(drainSeconds)) s after it: units / seconds is what was asked for, not what the target did")
    }
    if units > 0 {
      for pid in after.idle(since: before) {
        warnings.append(
          "--watch-cpu \(pid): it used no CPU while \(units) units were done; are its children to be watched? They are "
            + "not counted")
      }
    }
    return warnings
  }

  /// The line at the end.
  func json(work name: String, target: Target) -> String {
    let completed = isCountedElsewhere ? "null" : "\(completedInWindow)"
    let counts = ErrorKind.allCases.map { "\"\($0.rawValue)\": \(errors[$0])" }.joined(separator: ", ")
    return "{\"work\": \(JSON.string(name)), \"target\": \(JSON.string(target.description)), \"units\": \(units), "
      + "\"bytes\": \(bytes), \"seconds\": \(JSON.seconds(seconds)), \"completed_in_window\": \(completed), "
      + "\"drain_seconds\": \(JSON.seconds(drainSeconds)), \"errors\": {\(counts)}, \"sent\": \(sent), "
      + "\"lost\": \(lost), \"cpu\": \(after.json(since: before)), \"latency\": \(latency.json)}"
  }
}
