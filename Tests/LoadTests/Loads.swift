import Addresses
import EventLoop
import TestKit

@testable import roadstead_load

/// The load's own server, on a thread of its own, on any free port.
final class LoadServer {
  private let thread: LoopThread
  // Used on the loop alone, and held until the thread has ended.
  private let servers: [EventHandler]
  let tcp: Target
  let udp: Target

  init(coalesces: Bool = false) throws {
    let loop = EventLoop()
    let any = SocketAddress(IPAddress(v4: 127 << 24 | 1), port: 0)
    let tcpServer = try TCPServer(loop: loop, on: any)
    let udpServer = try UDPServer(loop: loop, on: any, coalesces: coalesces)
    guard let tcpAddress = tcpServer.address, let udpAddress = udpServer.address else {
      throw TestFailure("the servers have no address")
    }
    tcp = Target(scheme: .tcp, address: tcpAddress)
    udp = Target(scheme: .udp, address: udpAddress)
    servers = [tcpServer, udpServer]
    thread = try LoopThread(name: "load-server", loop: loop)
  }

  deinit { thread.stopAndJoin() }
}

/// Runs of load in this process, on the calling thread.
enum Loads {
  /// Clients that ask: the habit makes them round trips, connections or idle ones.
  static func ask(
    _ target: Target, _ habit: Crowd.Habit = .asksAgain, concurrency: Int = 1, request: Int = 64, reply: Int = 64,
    rate: Double? = nil, seconds: Double = 0.3, count: Int? = nil, warmUp: Double = 0, patience: Double = 5
  ) throws -> Run {
    let loop = EventLoop()
    let crowd = Crowd(
      loop: loop,
      options: Crowd.Options(
        target: target, habit: rate == nil ? habit : .waitsForItsTurn, concurrency: concurrency,
        requestLength: request, replyLength: reply))
    let limits = Limits(seconds: seconds, count: count, warmUp: warmUp, patience: patience)
    let run = Run(loop: loop, limits: limits, clients: concurrency, countsByDueTime: rate != nil, work: crowd)
    if let rate { crowd.pacer = try Pacer(run: run, rate: rate, clients: concurrency) }
    crowd.populate(run)
    try run.run()
    return run
  }

  /// Streams of bytes.
  static func move(
    _ direction: Bulk.Direction, _ target: Target, concurrency: Int = 1, seconds: Double = 0.2, count: Int? = nil,
    warmUp: Double = 0, patience: Double = 5
  ) throws -> Run {
    let loop = EventLoop()
    let bulk = Bulk(direction, target: target, concurrency: concurrency, sources: nil)
    let limits = Limits(seconds: seconds, count: count, warmUp: warmUp, patience: patience)
    let run = Run(loop: loop, limits: limits, clients: concurrency, work: bulk)
    bulk.populate(run)
    try run.run()
    return run
  }

  /// Datagrams one way.
  static func stream(
    _ target: Target, concurrency: Int = 1, rate: Double = 10_000, segments: Int = 1, count: Int? = nil,
    warmUp: Double = 0, patience: Double = 5
  ) throws -> Run {
    let loop = EventLoop()
    let stream = Stream(
      loop: loop,
      options: Stream.Options(
        target: target, concurrency: concurrency, length: 1200, rate: rate, segments: segments))
    let limits = Limits(seconds: 0.3, count: count, warmUp: warmUp, patience: patience)
    let run = Run(loop: loop, limits: limits, clients: concurrency, work: stream)
    try stream.populate(run)
    try run.run()
    return run
  }
}

extension Run {
  /// The errors that were counted, by kind; empty when there were none.
  var errorsByKind: [ErrorKind: Int] {
    ErrorKind.allCases.reduce(into: [:]) { if errors[$1] > 0 { $0[$1] = errors[$1] } }
  }
}
