import Addresses
import Balancing
import TestKit

@testable import Proxy

/// A data plane with one Service port in front of some endpoints, on addresses of its own.
struct Plane {
  let block: LoopbackBlock
  let plane: DataPlane
  let listen: SocketAddress
  private var builder: SnapshotBuilder
  private(set) var served: ServedPort

  init(
    to endpoints: [SocketAddress], shards: Int = 1, balance: BalancePolicy = .roundRobin,
    timeouts: Timeouts = Timeouts(), block: LoopbackBlock? = nil
  ) async throws {
    self.block = try block ?? LoopbackBlock()
    listen = self.block.address(50, port: 8080)
    plane = try DataPlane(shardCount: shards)
    builder = SnapshotBuilder(shardCount: shards, reasonCount: DataPlane.reasonCount)
    let snapshot = builder.build([
      ServicePort(
        service: "default/test", listen: [listen], endpoints: endpoints.map { Endpoint($0) }, balance: balance,
        timeouts: timeouts)
    ])
    served = snapshot.ports[0]
    let report = await plane.apply(snapshot)
    guard report.listening == [ListenAddress(.tcp, listen)] else {
      throw TestFailure("not listening: \(report.failures)")
    }
  }

  /// Serves other endpoints, or none at all.
  mutating func serve(_ endpoints: [SocketAddress]?) async -> DataPlane.Report {
    let ports = endpoints.map { endpoints in
      [ServicePort(service: "default/test", listen: [listen], endpoints: endpoints.map { Endpoint($0) })]
    }
    let snapshot = builder.build(ports ?? [])
    if let port = snapshot.ports.first { served = port }
    return await plane.apply(snapshot)
  }

  func closes(_ reason: CloseReason) -> UInt64 { served.counters.closed(reason: reason.index) }

  /// Waits until every connection that was accepted has ended.
  func waitUntilIdle(within span: Duration = .seconds(5)) async throws {
    let deadline = Deadline.after(span)
    while await plane.connectionCount() > 0 {
      if deadline.hasPassed { throw TestFailure("connections are still open") }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
