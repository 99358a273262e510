/// Takes part in the election of a Lease's holder over the API server: reads, renews and watches the Lease.
///
/// What is decided is ``LeaseElection``'s; this sends its requests, one at a time, each with a time limit, and wakes it.
/// ``start()`` begins, ``stop()`` ends; until then it lives.
public actor LeaseKeeper {
  /// Each status that is another than the one before; the first is not `unknown`. For one reader; ends with ``stop()``.
  public nonisolated let statuses: AsyncStream<LeaseStatus>
  /// What is in the way of reading or writing the Lease, for people, as one line; nil once nothing is. Only changes; for
  /// one reader; ends with ``stop()``.
  public nonisolated let problems: AsyncStream<String?>

  /// Seconds that ``release()`` takes at most.
  static let releaseLimit = 1.0

  let client: APIClient
  let settings: LeaseSettings
  let clock: LeaseClock
  private let sendStatus: AsyncStream<LeaseStatus>.Continuation
  private let sendProblem: AsyncStream<String?>.Continuation
  private var election: LeaseElection
  private var toldStatus = LeaseStatus.unknown
  private var toldProblem: String?
  private var requestProblem: String?
  private var watchProblem: String?
  private var isRunning = false
  private var isStopped = false
  /// The request that is on its way; 0 for none.
  private var request = 0
  private var lastRequest = 0
  private var requestTasks: [Task<Void, Never>] = []
  private var timer: (deadline: Double, task: Task<Void, Never>)?
  private var watch: Task<Void, Never>?
  /// Who waits for the end of the release.
  private var releases: [CheckedContinuation<Void, Never>] = []

  public init(client: APIClient, settings: LeaseSettings) {
    self.init(client: client, settings: settings, clock: .system)
  }

  init(client: APIClient, settings: LeaseSettings, clock: LeaseClock) {
    self.client = client
    self.settings = settings
    self.clock = clock
    (statuses, sendStatus) = AsyncStream.makeStream()
    (problems, sendProblem) = AsyncStream.makeStream()
    election = LeaseElection(settings)
  }

  /// The status as it is now.
  public var status: LeaseStatus { election.status(now: clock.now()) }

  /// Begins to want the Lease.
  public func start() {
    guard !isRunning, !isStopped else { return }
    isRunning = true
    handle(.tick)
    watch = Task { await runWatch() }
  }

  /// Gives the Lease back, if this process holds it, and wants it no more. Returns when that is written, or after a second:
  /// then another takes it once it has run out.
  public func release() async {
    guard isRunning, !isStopped else { return }
    handle(.release)
    guard election.state != .released else { return }
    let limit = Task {
      await clock.sleep(Self.releaseLimit)
      endRelease()
    }
    await withCheckedContinuation { releases.append($0) }
    limit.cancel()
  }

  /// Ends, without a word to the API server: what is held is another's once it has run out.
  public func stop() {
    guard !isStopped else { return }
    isStopped = true
    request = 0
    for task in requestTasks { task.cancel() }
    timer?.task.cancel()
    watch?.cancel()
    endRelease()
    sendStatus.finish()
    sendProblem.finish()
  }

  private func endRelease() {
    for waiting in releases { waiting.resume() }
    releases = []
  }

  // MARK: - The election

  /// Hands an event to the election and does what it says.
  func handle(_ event: LeaseElection.Event) {
    guard isRunning, !isStopped else { return }
    let now = clock.now()
    let next = election.handle(event, now: now, wallTime: clock.wallTime())
    if let next { send(next) }
    // Nothing is in the way once an answer leaves nothing to be done.
    if event.isAnswer, next == nil { requestProblem = nil }
    setTimer(now)
    tell()
    if election.state == .released { endRelease() }
  }

  private func tell() {
    let status = status
    if status != toldStatus {
      toldStatus = status
      sendStatus.yield(status)
    }
    let problem = requestProblem ?? watchProblem
    if problem != toldProblem {
      toldProblem = problem
      sendProblem.yield(problem)
    }
  }

  private func setTimer(_ now: Double) {
    guard election.deadline != timer?.deadline else { return }
    timer?.task.cancel()
    timer = election.deadline.map { deadline in
      let task = Task {
        await clock.sleep(max(deadline - now, 0))
        timerFired(deadline)
      }
      return (deadline, task)
    }
  }

  private func timerFired(_ deadline: Double) {
    guard !Task.isCancelled, timer?.deadline == deadline else { return }
    timer = nil
    handle(.tick)
  }

  // MARK: - Requests

  private func send(_ next: LeaseElection.Request) {
    lastRequest += 1
    let number = lastRequest
    request = number
    let limit = settings.renewDeadline / 2
    requestTasks = [
      Task {
        do throws(APIError) {
          ended(number, try await client.answer(to: next, settings))
        } catch {
          ended(number, .failed(error), problem: settings.problem(error, with: next.verb))
        }
      },
      Task {
        await clock.sleep(limit)
        guard !Task.isCancelled else { return }
        let error = APIError(code: 0, message: "no answer within \(limit) s")
        ended(number, .failed(error), problem: settings.problem(error, with: next.verb))
      },
    ]
  }

  private func ended(_ number: Int, _ event: LeaseElection.Event, problem: String? = nil) {
    guard number == request else { return }
    request = 0
    for task in requestTasks { task.cancel() }
    if let problem { requestProblem = problem }
    handle(event)
  }

  // MARK: - The watch

  /// Notes why the watch does not run; nil when it does.
  func setWatchProblem(_ error: APIError?) {
    // Without it a release is seen late, no more; that the server is away is what the requests say.
    watchProblem = error.flatMap { $0.isDenied ? settings.problem($0, with: "watch") : nil }
    if isRunning, !isStopped { tell() }
  }
}

extension LeaseElection.Event {
  fileprivate var isAnswer: Bool {
    switch self {
    case .read, .written: true
    case .tick, .watched, .failed, .release: false
    }
  }
}
