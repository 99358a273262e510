import Addresses
import ArgumentParser
import Balancing
import Proxy

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "run", abstract: "Balance.")
  @Option var listen: [String] = []
  @Option var to: [String] = []
  @Option var shards = 1
  @Option var balance = "round-robin"

  func run() async throws {
    let plane = try DataPlane(shardCount: shards)
    var builder = SnapshotBuilder(shardCount: shards, reasonCount: DataPlane.reasonCount)
    let port = ServicePort(
      service: "-", listen: listen.compactMap { SocketAddress($0) },
      endpoints: to.compactMap { SocketAddress($0) }.map { Endpoint($0) },
      balance: BalancePolicy(rawValue: balance) ?? .roundRobin)
    let report = await plane.apply(builder.build([port]))
    print(report)
    while true { try await Task.sleep(for: .seconds(100)) }
  }
}
