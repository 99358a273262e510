import EventLoop

/// All clients of a run that asks and is answered. Lives on its run's loop.
final class Crowd: Work {
  /// What a client does once it has its reply.
  enum Habit {
    /// The next request follows at once.
    case asksAgain
    /// It waits for the pacer's word.
    case waitsForItsTurn
    /// It closes, and connects again.
    case closes
    /// It waits until the server has closed, and connects again.
    case awaitsClose
    /// It stays connected.
    case stays
  }

  struct Options {
    var target: Target
    var habit: Habit
    var concurrency: Int
    var requestLength: Int
    var replyLength: Int
    var sources: SourceAddresses?
  }

  let options: Options
  let habit: Habit
  let loop: EventLoop
  /// What all clients read into, and the request, whose sequence number changes.
  let input = Buffer(size: Buffer.bulk)
  let request: Buffer
  let requestLength: Int
  var pacer: Pacer?
  private var sources: SourceAddresses?
  private var clients: [Client] = []
  private var toReopen: [Client] = []
  private var begun = 0
  private var opening = 0
  private var swept = 0
  private var isOver = false

  // A listener's queue is finite, and so is a receive buffer.
  private static let mostOpening = 256
  // So that looking at all of very many does not show in the latencies.
  private static let mostSwept = 1000

  init(loop: EventLoop, options: Options) {
    self.loop = loop
    self.options = options
    habit = options.habit
    sources = options.sources
    let closes = options.habit == .awaitsClose
    if options.target.scheme == .http {
      let bytes = HTTPRequest.bytes(for: options.target, closes: closes)
      requestLength = bytes.count
      request = Buffer(size: max(bytes.count, Header.size))
      request.write(bytes)
    } else {
      requestLength = options.requestLength
      request = Buffer(size: requestLength)
      request.write(
        Header(
          flags: closes ? .closes : [], requestLength: UInt64(requestLength), replyLength: UInt64(options.replyLength)))
    }
  }

  /// A socket on its way to the target.
  func connect() throws(Errno) -> OwnedDescriptor { try options.target.connect(from: sources?.next()) }

  // MARK: - Opening

  func populate(_ run: Run) {
    clients.reserveCapacity(options.concurrency)
    for number in 0..<options.concurrency {
      let client: Client =
        switch options.target.scheme {
        case .tcp: TCPClient(run: run, crowd: self, number: number)
        case .udp: UDPClient(run: run, crowd: self, number: number)
        case .http: HTTPClient(run: run, crowd: self, number: number)
        }
      clients.append(client)
    }
  }

  override func begin() { openMore() }

  private func openMore() {
    while begun < clients.count, opening < Self.mostOpening, !isOver {
      begun += 1
      opening += 1
      clients[begun - 1].open()
    }
  }

  /// A client has had its first reply.
  func clientOpened() {
    opening -= 1
    clients.first?.run.clientOpened()
    openMore()
  }

  /// A client has failed: it is opened again in a moment.
  func reopen(_ client: Client) {
    if !isOver { toReopen.append(client) }
  }

  // MARK: - Work

  override func windowBegan(at now: UInt64) { pacer?.windowBegan(at: now) }

  override func windowEnded(at now: UInt64) { pacer?.windowEnded(at: now) }

  override var queued: Int { pacer?.queued ?? 0 }

  override var isAtRest: Bool { toReopen.isEmpty }

  override func opened(at now: UInt64) {
    pacer?.begin(at: now)
    if habit == .stays { Output.print("holding \(clients.count) connections") }
  }

  override func sweep(at now: UInt64) {
    let failed = toReopen
    toReopen = []
    for client in failed where !isOver { client.open() }
    let count = min(begun, max(Self.mostSwept, begun / 10))
    for _ in 0..<count {
      swept = swept + 1 < begun ? swept + 1 : 0
      if clients[swept].isUnderWay { clients[swept].sweep(at: now) }
    }
  }

  override func close() {
    isOver = true
    toReopen = []
    for client in clients { client.close() }
  }
}
