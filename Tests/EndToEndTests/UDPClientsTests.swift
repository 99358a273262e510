import Addresses
import Foundation
import TestKit
import Testing

/// Real servers and their own clients through UDP: DNS, iperf3, SIP.
@Suite(.serialized) struct UDPClientsTests {
  /// nsd with one zone, at `.1` of the block, UDP and TCP.
  private func nameServer(_ block: LoopbackBlock, _ directory: TemporaryDirectory) throws -> ChildProcess {
    let address = block.address(1, port: 18053)
    let records = (0..<100).map { "host\($0) IN A 192.0.2.\($0)\n" }.joined()
    let long = (0..<60).map { "long IN TXT \"\(String(repeating: "x", count: 40))\($0)\"\n" }.joined()
    try directory.write(
      "example.zone",
      "$ORIGIN example.test.\n$TTL 60\n@ IN SOA ns root 1 60 60 60 60\n@ IN NS ns\nns IN A 192.0.2.200\n\(records)\(long)"
    )
    let configuration = try directory.write(
      "nsd.conf",
      """
      server:
        ip-address: \(address.address)@\(address.port)
        username: ""
        chroot: ""
        zonesdir: "\(directory.path)"
        pidfile: "\(directory.file("nsd.pid"))"
        database: ""
        xfrdfile: "\(directory.file("xfrd.state"))"
        zonelistfile: "\(directory.file("zone.list"))"
        logfile: "\(directory.file("nsd.log"))"
        rrl-ratelimit: 0
        server-count: 1
      remote-control:
        control-enable: no
      zone:
        name: example.test
        zonefile: example.zone

      """)
    let process = try ChildProcess("/usr/sbin/nsd", ["-d", "-c", configuration])
    try waitForUDP(address)
    return process
  }

  private func route(_ block: LoopbackBlock, _ port: Int = 53) throws -> UDPRoute {
    try UDPRoute(port: port, to: [block.address(1, port: 18053)], transports: ["udp", "tcp"], block: block)
  }

  @Test("dig asks a name server over UDP and TCP on one port, a long answer by both", .timeLimit(.minutes(1)))
  func dig() throws {
    let block = try LoopbackBlock()
    let directory = try TemporaryDirectory()
    let server = try nameServer(block, directory)
    let route = try route(block, 5353)
    let common = ["@\(route.listen.address)", "-p", "\(route.listen.port)", "+tries=1", "+time=5"]
    for options in [["+notcp"], ["+tcp"]] {
      let short = try run("dig", common + options + ["+short", "host7.example.test", "A"])
      #expect(short.output == ["192.0.2.7"], "\(short.transcript)")
    }
    // 4,096 bytes of EDNS hold it in one datagram; 512 do not, and dig turns to TCP by itself.
    for options in [["+bufsize=4096"], ["+noedns"]] {
      let long = try run("dig", common + options + ["+short", "long.example.test", "TXT"])
      #expect(long.output.filter { $0.contains("xxx") }.count == 60, "\(long.transcript)")
    }
    #expect(server.isRunning && route.process.isRunning)
  }

  @Test("dnsperf loses none of 20,000 queries a second", .timeLimit(.minutes(2)))
  func dnsperf() throws {
    let block = try LoopbackBlock()
    let directory = try TemporaryDirectory()
    let server = try nameServer(block, directory)
    let route = try route(block, 5353)
    let queries = try directory.write("queries", (0..<100).map { "host\($0).example.test A\n" }.joined())
    func ask(_ address: SocketAddress) throws -> (lost: String, rate: Double, text: String) {
      let result = try run(
        "dnsperf",
        ["-s", "\(address.address)", "-p", "\(address.port)", "-d", queries, "-Q", "20000", "-l", "5", "-c", "64"],
        within: .seconds(30))
      let text = result.transcript
      let rate = text.firstMatch(of: /Queries per second: +([0-9.]+)/).flatMap { Double($0.1) } ?? 0
      return (text.firstMatch(of: /Queries lost: +([0-9]+)/).map { String($0.1) } ?? "?", rate, text)
    }
    let direct = try ask(block.address(1, port: 18053))
    let through = try ask(route.listen)
    print(
      "dnsperf: \(direct.rate) queries/s and \(direct.lost) lost directly, \(through.rate) and \(through.lost) through")
    #expect(through.lost == "0", "\(through.text)")
    #expect(through.rate >= 0.9 * min(direct.rate, 20_000), "\(through.text)")
    let state = try route.state
    #expect(state.dropped == 0 && state.datagramsIn == state.datagramsOut)
    #expect(server.isRunning)
  }

  @Test("iperf3 -u: control over TCP and data over UDP, on one port", .timeLimit(.minutes(1)))
  func iperf() throws {
    let block = try LoopbackBlock()
    let backend = block.address(1, port: 18201)
    let server = try ChildProcess(
      "iperf3", ["-s", "-B", "\(backend.address)", "-p", "\(backend.port)", "--forceflush"])
    try server.waitForLine(containing: "Server listening")
    let route = try UDPRoute(port: 5201, to: [backend], transports: ["udp", "tcp"], block: block)
    for direction in [[], ["-R"]] {
      let result = try run(
        "iperf3",
        [
          "-u", "-c", "\(route.listen.address)", "-p", "\(route.listen.port)", "-b", "100M", "-l", "1200", "-t", "2",
          "-J",
        ] + direction, within: .seconds(20))
      #expect(result.exit == .code(0), "\(result.transcript)")
      let object = try JSONSerialization.jsonObject(with: Data(result.output.joined(separator: "\n").utf8))
      let sum = ((object as? [String: Any])?["end"] as? [String: Any])?["sum"] as? [String: Any]
      let packets = sum?["packets"] as? Double ?? 0
      let lost = sum?["lost_packets"] as? Double ?? -1
      let drops = try route.state.drops
      print("iperf3 \(direction): \(packets) datagrams, \(lost) lost, dropped here \(drops)")
      #expect(drops.isEmpty)
      // Its own receive buffer is small: on a busy machine it loses some, directly too.
      #expect(packets > 10_000 && lost >= 0 && lost <= packets / 20, "\(packets) datagrams, \(lost) lost")
    }
    #expect(route.process.isRunning)
  }

  @Test("sipp's own pair of scenarios completes 200 calls", .timeLimit(.minutes(1)))
  func sipp() throws {
    let block = try LoopbackBlock()
    let directory = try TemporaryDirectory()
    let backend = block.address(1, port: 18060)
    let server = try ChildProcess(
      "sipp", ["-sn", "uas", "-i", "\(backend.address)", "-p", "\(backend.port)", "-nostdin"])
    try waitForUDP(backend)
    let route = try UDPRoute(port: 5060, to: [backend], block: block)
    let result = try run(
      "sipp",
      [
        "-sn", "uac", "\(route.listen)", "-i", "\(block.address(100))", "-p", "15060", "-m", "200", "-r", "100", "-d",
        "50", "-nostdin", "-timeout", "30s", "-timeout_error", "-trace_err", "-error_file", directory.file("errors"),
      ], within: .seconds(45))
    #expect(result.exit == .code(0), "\(result.transcript)")
    let state = try route.state
    // INVITE, ACK and BYE; 180, 200 and 200.
    #expect(state.datagramsIn == 600 && state.datagramsOut == 600 && state.dropped == 0, "\(state)")
    #expect(server.isRunning)
  }
}
