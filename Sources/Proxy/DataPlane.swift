import Addresses
import Balancing
import EventLoop
import Glibc

/// The packet path as the control plane sees it: snapshots in, values out.
///
/// Owns the shards' threads. Listening sockets are opened here, all shards' at once, so that a bind that fails is
/// known before any shard hears of it.
public actor DataPlane {
  /// How many close reasons the counters of a ``SnapshotBuilder`` need.
  public static let reasonCount = max(CloseReason.allCases.count, FlowEnd.allCases.count)
  /// How many drop reasons the counters of a ``SnapshotBuilder`` need.
  public static let dropCount = DatagramDrop.allCases.count

  private struct Member {
    let thread: LoopThread
    let shard: LoopBound<Shard>
  }

  private let members: [Member]
  private var open: Set<ListenAddress> = []
  /// Who wants what, of the last snapshot, and what became of it.
  private var claims = AddressClaims()
  private var report = Report()
  private var isDraining = false

  /// UDP flows at one time, over all shards.
  public nonisolated let flowLimit: Int

  /// Starts `shardCount` threads. `flowLimit`: UDP flows at one time, over all of them.
  public init(shardCount: Int, flowLimit: Int = 8192) throws(Errno) {
    precondition(shardCount > 0, "at least one shard")
    // A client that went away is an error of send(2), not a reason to die.
    signal(SIGPIPE, SIG_IGN)
    self.flowLimit = flowLimit
    let flowsOfOne = flowLimit / shardCount
    var members: [Member] = []
    for index in 0..<shardCount {
      let thread = try LoopThread(name: "shard-\(index)")
      members.append(
        Member(thread: thread, shard: LoopBound(thread.loop) { Shard(index: index, loop: $0, flowLimit: flowsOfOne) }))
    }
    self.members = members
  }

  /// How many shards there are.
  public nonisolated var shardCount: Int { members.count }

  /// What became of one ``ServedPort``'s addresses.
  public struct Report: Hashable, Sendable {
    /// Addresses that are listened on, on every shard.
    public var listening: Set<ListenAddress> = []
    /// Addresses that are not, and why.
    public var failures: [ListenAddress: ListenError] = [:]
    /// Addresses that two Service ports want: the first has it, these do not.
    public var clashes: [ListenAddress: [String]] = [:]

    public init() {}
  }

  /// Makes the shards serve `snapshot`, and returns once they do. They hear of what is different only.
  ///
  /// Addresses that stay keep their sockets and connections. Those that failed before are tried again.
  public func apply(_ snapshot: Snapshot) async -> Report {
    guard !isDraining else { return Report() }
    let looked = claims.update(to: snapshot).union(report.failures.keys)
    if looked.isEmpty { return report }
    var report = report
    report.failures = [:]
    var served: [ListenAddress: ServedPort] = [:]
    for address in looked {
      let ports = claims.claimants(of: address)
      served[address] = ports.first
      report.clashes[address] = ports.count < 2 ? nil : ports.dropFirst().map(\.port.service)
    }
    // Close first: an address may come back under another port's name at once.
    let closing = looked.filter { open.contains($0) && served[$0] == nil }
    if !closing.isEmpty {
      open.subtract(closing)
      await tell(closed: closing)
    }
    var opened: [ListenAddress: [CInt]] = [:]
    for address in served.keys.sorted() where !open.contains(address) {
      do {
        opened[address] = try ListenSockets.open(address, count: members.count)
        open.insert(address)
      } catch {
        report.failures[address] = error
        served[address] = nil
      }
    }
    await tell(served, opened: opened)
    report.listening = open
    self.report = report
    return report
  }

  /// Tells all shards at once, and returns when each has heard.
  private func tell(
    _ served: [ListenAddress: ServedPort] = [:], opened: [ListenAddress: [CInt]] = [:], closed: Set<ListenAddress> = []
  ) async {
    await withTaskGroup { group in
      for (index, member) in members.enumerated() {
        let change = Shard.Change(served: served, opened: opened.mapValues { $0[index] }, closed: closed)
        group.addTask {
          await withCheckedContinuation { continuation in
            member.shard.submit { shard in
              shard.apply(change)
              continuation.resume()
            }
          }
        }
      }
    }
  }

  /// Open connections, over all shards.
  public func connectionCount() async -> Int {
    var sum = 0
    for member in members {
      sum += await withCheckedContinuation { continuation in
        member.shard.submit { continuation.resume(returning: $0.connectionCount) }
      }
    }
    return sum
  }

  /// Open connections to each of `addresses` that came to the Services named with it (``ServicePort/service``), also
  /// where they have it no longer. Looks at every connection: for once a second, not for every request.
  public func connectionCounts(to addresses: [IPAddress: Set<String>]) async -> [IPAddress: Int] {
    var sum: [IPAddress: Int] = [:]
    for member in members {
      let counts = await withCheckedContinuation { continuation in
        member.shard.submit { continuation.resume(returning: $0.connectionCounts(to: addresses)) }
      }
      sum.merge(counts, uniquingKeysWith: +)
    }
    return sum
  }

  /// Open UDP flows, over all shards.
  public func flowCount() async -> Int {
    var sum = 0
    for member in members {
      sum += await withCheckedContinuation { continuation in
        member.shard.submit { continuation.resume(returning: $0.flowCount) }
      }
    }
    return sum
  }

  /// Brings up to date what the kernel counts and tells only when asked: datagrams without room in a listener's buffer.
  public func countKernelDrops() async {
    for member in members {
      await withCheckedContinuation { continuation in
        member.shard.submit { shard in
          shard.countKernelDrops()
          continuation.resume()
        }
      }
    }
  }

  /// Closes all TCP listeners for good, and returns once they are closed: no connection comes after that.
  public func stopAccepting() async {
    isDraining = true
    open = []
    for member in members {
      await withCheckedContinuation { continuation in
        member.shard.submit { shard in
          shard.stopAccepting()
          continuation.resume()
        }
      }
    }
  }

  /// Stops accepting and lets connections end for up to `seconds`; returns how many had to be cut off.
  public func drain(for seconds: Double) async -> Int {
    isDraining = true
    open = []
    // All at once: each has the whole time.
    let draining = members.map { member in
      Task {
        await withCheckedContinuation { continuation in
          member.shard.submit { $0.drain(for: seconds) { cut in continuation.resume(returning: cut) } }
        }
      }
    }
    var cut = 0
    for task in draining { cut += await task.value }
    return cut
  }
}
