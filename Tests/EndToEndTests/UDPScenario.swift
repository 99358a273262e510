import Addresses
import Foundation
import TestKit

/// The parts of `/api/v1/state` that the tests add up.
struct UDPState {
  let flowLimit: Int
  let accepted: Int
  let active: Int
  let datagramsIn: Int
  let datagramsOut: Int
  let drops: [String: Int]
  let closes: [String: Int]

  var dropped: Int { drops.values.reduce(0, +) }

  /// Of the one UDP port that a process serves, from its admin socket.
  init(_ socket: String) throws {
    let text = try curl("http://localhost/api/v1/state", ["--unix-socket", socket])
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    let services = object["services"] as? [[String: Any]] ?? []
    let ports = services.flatMap { $0["ports"] as? [[String: Any]] ?? [] }
    guard let port = ports.first(where: { $0["protocol"] as? String == "UDP" }),
      let counters = port["counters"] as? [String: Any]
    else { throw TestFailure("no UDP port in \(text)") }
    flowLimit = (object["limits"] as? [String: Any])?["udpFlows"] as? Int ?? 0
    accepted = counters["accepted"] as? Int ?? -1
    active = counters["active"] as? Int ?? -1
    datagramsIn = counters["datagramsIn"] as? Int ?? -1
    datagramsOut = counters["datagramsOut"] as? Int ?? -1
    drops = counters["drops"] as? [String: Int] ?? [:]
    closes = counters["closes"] as? [String: Int] ?? [:]
  }
}

/// `roadstead run --listen udp://… [--listen tcp://…] --to …` on addresses of its own.
struct UDPRoute: Sendable {
  let block: LoopbackBlock
  let directory: TemporaryDirectory
  let process: ChildProcess
  /// Where clients go.
  let listen: SocketAddress

  init(
    port: Int = 5300, to backends: [SocketAddress], transports: [String] = ["udp"], shards: Int = 2,
    block: LoopbackBlock
  ) throws {
    self.block = block
    directory = try TemporaryDirectory()
    listen = block.address(50, port: port)
    process = try RoadsteadBinary.start(
      ["run", "--admin", "unix:\(directory.file("admin"))", "--shards", "\(shards)"]
        + transports.flatMap { ["--listen", "\($0)://\(block.address(50, port: port))"] }
        + backends.flatMap { ["--to", "\($0)"] })
    for transport in transports { try process.waitForLine(containing: "/\(transport.uppercased()) →") }
  }

  var state: UDPState { get throws { try UDPState(directory.file("admin")) } }
}

/// Starts `roadstead backend` at `address`, once it answers UDP.
func udpBackend(_ address: SocketAddress, name: String, _ options: String...) throws -> ChildProcess {
  let process = try RoadsteadBinary.start(["backend", "\(address)", "--name", name] + options)
  try process.waitForLine(containing: "listening on")
  return process
}

/// Waits until a UDP socket is bound to `address` (/proc/net/udp, proc(5)).
func waitForUDP(_ address: SocketAddress) throws {
  let host = String(UInt32(truncatingIfNeeded: address.address.bits).byteSwapped, radix: 16, uppercase: true)
  let port = String(address.port, radix: 16, uppercase: true)
  let wanted =
    String(repeating: "0", count: 8 - host.count) + host + ":" + String(repeating: "0", count: 4 - port.count) + port
  try eventually("a server at \(address)/UDP") { try readFile("/proc/net/udp").contains(" \(wanted) ") }
}
