import TestKit

@testable import Kubernetes

/// Candidates and an API server. Requests and answers are late or lost, the server goes away and comes back, processes die
/// or stand still, clocks differ and drift. Seeded: the same seed, the same world.
struct SimulatedLeaseWorld {
  /// Least and most that a clock runs in a second.
  static let rates = 0.9...1.1

  /// How the server answers.
  enum Server { case isUp, refuses, hangs }

  private enum Packet {
    case request(LeaseElection.Request, number: Int)
    case answer(LeaseElection.Event, number: Int)
    case watched(LeaseRecord?)
  }

  private struct InFlight {
    let at: Double
    let candidate: Int
    let identity: String
    let packet: Packet
  }

  var random: SeededRandom
  private(set) var now = 0.0
  private(set) var candidates: [SimulatedCandidate?] = []
  private(set) var record: LeaseRecord?
  private(set) var server = Server.isUp
  /// Seconds that a request or an answer takes at most.
  var longestDelay = 0.05
  /// In a hundred.
  var lostAnswers = 0
  var lateRequests = 0
  private(set) var wrong: [String] = []
  /// The last things that happened.
  private(set) var trace: [String] = []
  private(set) var seen: [String: Int] = [:]
  private var wire: [InFlight] = []
  private var version = 100
  private var number = 0
  private var writers: Set<String> = []

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    candidates = Array(repeating: nil, count: Int.random(in: 2...5, using: &random))
  }

  private mutating func note(_ text: String) {
    trace.append("\((now * 1000).rounded() / 1000) \(text)")
    if trace.count > 160 { trace.removeFirst(80) }
  }

  mutating func count(_ what: String) { seen[what, default: 0] += 1 }

  // MARK: - What happens

  mutating func start(_ place: Int) {
    guard candidates[place] == nil else { return }
    number += 1
    let settings = LeaseSettings(namespace: "default", name: "lease", identity: "host-\(place)-\(number)")
    note("start \(settings.identity)")
    candidates[place] = SimulatedCandidate(
      election: LeaseElection(settings), offset: Double.random(in: -1e6...1e6, using: &random),
      rate: Double.random(in: Self.rates, using: &random))
    hand(.tick, place)
    if server == .isUp { show(record, to: place) }
  }

  mutating func kill(_ place: Int) {
    note("kill \(candidates[place]?.identity ?? "")")
    candidates[place] = nil
  }

  mutating func freeze(_ place: Int, for seconds: Double) {
    guard candidates[place]?.frozenUntil == nil else { return }
    note("freeze \(candidates[place]?.identity ?? "") for \(seconds)")
    candidates[place]?.frozenUntil = now + seconds
  }

  mutating func release(_ place: Int) {
    guard let candidate = candidates[place], candidate.frozenUntil == nil else { return }
    note("release \(candidate.identity)")
    hand(.release, place)
  }

  mutating func thaw(_ place: Int) {
    guard candidates[place]?.frozenUntil != nil else { return }
    note("thaw \(candidates[place]?.identity ?? "")")
    candidates[place]?.frozenUntil = nil
    // Whose turn comes first is nobody's promise.
    if random.chance(50) { due(place) }
    let inbox = candidates[place]?.inbox ?? []
    candidates[place]?.inbox = []
    for event in inbox { hand(event, place) }
    due(place)
  }

  mutating func set(_ server: Server) {
    guard self.server != server else { return }
    note("server \(server)")
    self.server = server
    if server == .isUp {
      for place in candidates.indices { show(record, to: place) }
    } else {
      // Connections break, with what is on them.
      let breaks = random.chance(50)
      wire.removeAll { if case .watched = $0.packet { true } else { breaks } }
    }
  }

  // MARK: - Time

  /// Lets time pass until `end`, or until `isEnough`.
  mutating func run(until end: Double, _ isEnough: (SimulatedLeaseWorld) -> Bool = { _ in false }) {
    while wrong.isEmpty, !isEnough(self) {
      let next = min(
        wire.map(\.at).min() ?? .infinity, candidates.compactMap { $0?.next }.min() ?? .infinity)
      guard next <= end else {
        now = max(now, end)
        return check()
      }
      now = max(now, next)
      while let place = wire.indices.filter({ wire[$0].at <= now }).min(by: { wire[$0].at < wire[$1].at }) {
        deliver(wire.remove(at: place))
        check()
      }
      for place in candidates.indices {
        if let end = candidates[place]?.frozenUntil {
          if end <= now { thaw(place) }
        } else {
          due(place)
        }
        check()
      }
    }
  }

  private mutating func due(_ place: Int) {
    guard let candidate = candidates[place] else { return }
    if let request = candidate.request, request.timeout <= now {
      count("timeout")
      candidates[place]?.request = nil
      hand(.failed(APIError(code: 0, message: "no answer")), place)
    }
    if let deadline = candidates[place]?.election.deadline, deadline <= candidate.clock(now) {
      hand(.tick, place)
    }
  }

  private mutating func delay() -> Double { Double.random(in: 0...longestDelay / 2, using: &random) }

  private mutating func deliver(_ arrived: InFlight) {
    let isThere = candidates[arrived.candidate]?.identity == arrived.identity
    switch arrived.packet {
    case .request(let request, let number):
      // What a dead process sent arrives all the same.
      guard let answer = serve(request, from: arrived.identity) else { return }
      if random.chance(lostAnswers) { return count("lost answer") }
      post(.answer(answer, number: number), to: arrived.candidate, arrived.identity, after: delay())
    case .answer(let event, let number):
      guard isThere, candidates[arrived.candidate]?.request?.number == number else { return }
      candidates[arrived.candidate]?.request = nil
      read(event, arrived.candidate)
    case .watched(let record): if isThere { read(.watched(record), arrived.candidate) }
    }
  }

  private mutating func read(_ event: LeaseElection.Event, _ place: Int) {
    if candidates[place]?.frozenUntil != nil {
      candidates[place]?.inbox.append(event)
    } else {
      hand(event, place)
    }
  }

  private mutating func post(_ packet: Packet, to place: Int, _ identity: String, after delay: Double) {
    wire.append(InFlight(at: now + delay, candidate: place, identity: identity, packet: packet))
  }

  private mutating func show(_ record: LeaseRecord?, to place: Int) {
    guard let identity = candidates[place]?.identity else { return }
    post(.watched(record), to: place, identity, after: delay())
  }

  // MARK: - The server

  private mutating func serve(_ request: LeaseElection.Request, from identity: String) -> LeaseElection.Event? {
    switch server {
    case .isUp: break
    case .refuses: return .failed(APIError(code: 0, message: "connection refused"))
    case .hangs: return nil
    }
    switch request {
    case .get: return .read(record)
    case .create(let new): return record == nil ? write(new, identity) : conflict()
    case .update(let new):
      guard let record else { return .failed(APIError(code: 404, reason: "NotFound", message: "no Lease")) }
      return record.resourceVersion == new.resourceVersion ? write(new, identity) : conflict()
    }
  }

  private mutating func conflict() -> LeaseElection.Event {
    count("conflict")
    return .failed(APIError(code: 409, reason: "Conflict", message: "another version"))
  }

  private mutating func write(_ new: LeaseRecord, _ identity: String) -> LeaseElection.Event {
    version += 1
    if record?.holderIdentity != new.holderIdentity {
      note("the Lease goes to '\(new.holderIdentity)'")
      if let record, new.leaseTransitions != record.leaseTransitions + (new.holderIdentity.isEmpty ? 0 : 1) {
        wrong.append("\(identity) counts \(new.leaseTransitions) transitions after \(record.leaseTransitions)")
      }
    } else if let record, record.acquireTime != new.acquireTime {
      wrong.append("\(identity) renews with another time of acquisition")
    }
    record = new
    record?.resourceVersion = String(version)
    writers.insert(identity)
    for place in candidates.indices { show(record, to: place) }
    return .written(record ?? new)
  }

  // MARK: - The process

  private mutating func hand(_ event: LeaseElection.Event, _ place: Int) {
    guard var candidate = candidates[place] else { return }
    let before = candidate.status(now)
    let wasReleasing = candidate.election.isReleasing
    let wallTime = MicroTime(microseconds: Int((candidate.clock(now) + 2e9) * 1e6))
    let request = candidate.election.handle(event, now: candidate.clock(now), wallTime: wallTime)
    if request != nil {
      number += 1
      let timeout = candidate.world(candidate.clock(now) + candidate.election.settings.renewDeadline / 2)
      if candidate.request != nil { wrong.append("\(candidate.identity) sends two requests at a time") }
      candidate.request = (number, timeout)
    }
    candidates[place] = candidate
    let after = candidate.status(now)
    if request != nil || before != after {
      note("\(candidate.identity) \(event.word): \(request?.word ?? "-"), \(after)")
    }
    judge(candidate, before, after, wasReleasing)
    guard let request else { return }
    let isLate = random.chance(lateRequests)
    if isLate { count("late request") }
    let delay = isLate ? Double.random(in: 4...30, using: &random) : delay()
    post(.request(request, number: number), to: place, candidate.identity, after: delay)
  }

  // MARK: - What must hold

  private mutating func judge(
    _ candidate: SimulatedCandidate, _ before: LeaseStatus, _ after: LeaseStatus, _ wasReleasing: Bool
  ) {
    if !before.isHolder, after.isHolder {
      count("take-over")
      if !writers.contains(candidate.identity) { wrong.append("\(candidate.identity) holds what it never wrote") }
    }
    if before.isHolder, !after.isHolder {
      count(wasReleasing ? "release" : "loss")
      if record?.holderIdentity == candidate.identity { wrong.append("\(candidate.identity) gives up what it holds") }
    }
    if case .holder(_, isVerified: true) = before, case .holder(_, isVerified: false) = after { count("doubt") }
  }

  private mutating func check() {
    let verified = candidates.compactMap { $0 }.filter { $0.isVerified(now) }.map(\.identity)
    if verified.count > 1 { wrong.append("\(verified) hold the Lease and are verified") }
  }

  /// The place of the one that holds the Lease, and knows it.
  var verified: Int? { candidates.indices.first { candidates[$0]?.isVerified(now) == true } }
}

extension LeaseElection.Event {
  fileprivate var word: String {
    switch self {
    case .tick: "tick"
    case .watched(let record): "watched '\(record?.holderIdentity ?? "-")' \(record?.resourceVersion ?? "")"
    case .read(let record): "read '\(record?.holderIdentity ?? "-")' \(record?.resourceVersion ?? "")"
    case .written(let record): "written '\(record.holderIdentity)' \(record.resourceVersion)"
    case .failed(let error): "failed \(error)"
    case .release: "release"
    }
  }
}

extension LeaseElection.Request {
  fileprivate var word: String {
    switch self {
    case .get: "get"
    case .create(let record): "create '\(record.holderIdentity)'"
    case .update(let record): "update '\(record.holderIdentity)' \(record.resourceVersion)"
    }
  }
}

extension LeaseElection {
  var isReleasing: Bool {
    switch state {
    case .releasing, .released: true
    case .unknown, .standby, .holder: false
    }
  }
}
