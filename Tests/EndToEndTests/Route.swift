import Addresses
import TestKit
import Testing

/// How a client reaches a backend. What holds directly must hold through the proxy, and the other way round.
enum Route: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case direct
  case oneShard
  case twoShards

  var testDescription: String {
    switch self {
    case .direct: "directly"
    case .oneShard: "through one shard"
    case .twoShards: "through two shards"
    }
  }

  /// Starts a backend with `handler` and, unless direct, a proxy in front of it.
  func open(receiveBuffer: Int? = nil, _ handler: @escaping TestServer.Handler) throws -> OpenRoute {
    let block = try LoopbackBlock()
    let server = try TestServer(on: block.address(1, port: 18080), receiveBuffer: receiveBuffer, handler)
    let shards: Int
    switch self {
    case .direct: return OpenRoute(block: block, server: server, process: nil, address: server.address)
    case .oneShard: shards = 1
    case .twoShards: shards = 2
    }
    let listen = block.address(50, port: 8080)
    let process = try RoadsteadBinary.start([
      "run", "--listen", "tcp://\(listen)", "--to", "\(server.address)", "--shards", "\(shards)", "--admin", "none",
    ])
    try process.waitForLine(containing: "→")
    return OpenRoute(block: block, server: server, process: process, address: listen)
  }
}

/// A route that is up, for as long as this value lives.
struct OpenRoute: Sendable {
  let block: LoopbackBlock
  let server: TestServer
  let process: ChildProcess?
  /// Where clients connect to.
  let address: SocketAddress

  /// Fails the test if a handler of the backend failed or the proxy is gone.
  func verify(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(server.failures == [], sourceLocation: sourceLocation)
    if let process { #expect(process.isRunning, "\(process.transcript)", sourceLocation: sourceLocation) }
  }
}
