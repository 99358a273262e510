import Glibc
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct BinaryTests {
  private static let path: String? = ["debug", "release"]
    .map { "\(RoadsteadBinary.checkout)/.build/\($0)/roadstead-load" }
    .first { unsafe access($0, X_OK) == 0 }

  private func start(_ words: String) throws -> ChildProcess {
    guard let path = Self.path else { throw TestFailure("no roadstead-load: swift build first") }
    return try ChildProcess(path, words.split(separator: " ").map(String.init))
  }

  /// Runs the binary to its end.
  private func run(_ words: String) throws -> (exit: ChildProcess.Exit, output: [String], error: [String]) {
    let child = try start(words)
    let exit = try child.waitForExit(within: .seconds(30))
    return (exit, child.output, child.error)
  }

  /// A server on ports of the kernel's choice, and its targets.
  private func serve() throws -> (child: ChildProcess, tcp: String, udp: String) {
    let child = try start("serve tcp://127.0.0.1:0 udp://127.0.0.1:0")
    let targets = try ["tcp", "udp"].map { scheme in
      String(try child.waitForLine(containing: "serving \(scheme)://").dropFirst("serving ".count))
    }
    return (child, targets[0], targets[1])
  }

  @Test func `one line of JSON comes at the end`() throws {
    let (server, tcp, udp) = try serve()
    for target in [tcp, udp] {
      let (exit, output, error) = try run(
        "round-trips \(target) --concurrency 3 --count 100 --watch-cpu \(server.pid)")
      #expect(exit == .code(0))
      #expect(error == [])
      let line = try #require(output.last)
      #expect(line.hasPrefix(#"{"work": "round-trips", "target": "\#(target)", "units": 100, "bytes": 6400, "#))
      for part in [
        #""errors": {"reset": 0, "refused": 0, "timeout": 0, "early_close": 0, "wrong_reply": 0, "other": 0}"#,
        #""sent": 100, "lost": 0, "cpu": {"watched": {"\#(server.pid)": "#, #""latency": {"unit": "ns", "min": "#,
        #""p99.9": "#, #""late": 0"#,
      ] { #expect(line.contains(part), "\(part) in \(line)") }
    }
  }

  @Test func `SIGTERM ends a server with 0`() throws {
    let (server, _, _) = try serve()
    server.signal(SIGTERM)
    #expect(try server.waitForExit() == .code(0))
  }

  @Test func `idle connections are held until SIGTERM`() throws {
    let (server, tcp, udp) = try serve()
    for target in [tcp, udp] {
      let idle = try start("idle \(target) --concurrency 300")
      try idle.waitForLine(containing: "holding 300 connections")
      idle.signal(SIGTERM)
      #expect(try idle.waitForExit() == .code(0))
      #expect(idle.output.last?.contains(#""units": 300, "#) == true)
    }
    withExtendedLifetime(server) {}
  }

  @Test func `idle offers what it takes`() throws {
    let (exit, output, _) = try run("idle --help")
    #expect(exit == .code(0))
    let help = output.joined(separator: "\n")
    for word in ["--count", "--warm-up", "default: 5"] { #expect(!help.contains(word), "\(word) in \(help)") }
    for word in ["--seconds", "--concurrency", "SIGTERM", "SIGINT"] { #expect(help.contains(word), "\(word)") }
  }

  @Test func `a watched process that uses no CPU is told`() throws {
    let (server, tcp, _) = try serve()
    let sleeper = try ChildProcess("/bin/sleep", ["30"])
    stall(.milliseconds(200))
    let (exit, output, error) = try run(
      "round-trips \(tcp) --count 100 --watch-cpu \(sleeper.pid) --watch-cpu \(server.pid)")
    #expect(exit == .code(0))
    #expect(output.last?.contains(#""watched": {"\#(sleeper.pid)": 0.0, "#) == true)
    #expect(error.count == 1)
    #expect(error.first?.hasPrefix("roadstead-load: --watch-cpu \(sleeper.pid): it used no CPU") == true, "\(error)")
    sleeper.kill()
  }

  @Test func `idle connections that the server gives up are errors`() throws {
    let (server, tcp, _) = try serve()
    let idle = try start("idle \(tcp) --concurrency 5 --seconds 1")
    try idle.waitForLine(containing: "holding 5 connections")
    server.kill()
    #expect(try idle.waitForExit() == .code(1))
  }

  @Test func `SIGTERM tells what was counted so far`() throws {
    let (server, tcp, _) = try serve()
    let load = try start("idle \(tcp) --concurrency 1")
    try load.waitForLine(containing: "holding")
    let rounds = try start("round-trips \(tcp) --seconds 60")
    stall(.milliseconds(300))
    rounds.signal(SIGTERM)
    #expect(try rounds.waitForExit() == .code(0))
    #expect(rounds.output.last?.hasPrefix("{") == true)
    load.signal(SIGTERM)
    withExtendedLifetime(server) {}
  }

  @Test func `errors end with 1`() throws {
    let (exit, output, error) = try run("round-trips tcp://127.0.0.1:1 --seconds 0.2")
    #expect(exit == .code(1))
    #expect(output.last?.contains(#""refused": "#) == true)
    #expect(error.first == "roadstead-load: first error: refused: Connection refused")
  }

  @Test(arguments: [
    ("round-trips tcp://localhost:80", "target"), ("round-trips tcp://127.0.0.1:80 --seconds 0", "--seconds"),
    ("round-trips tcp://127.0.0.1:80 --seconds x", "--seconds"),
    ("round-trips tcp://127.0.0.1:80 --count 0", "--count"),
    ("round-trips tcp://127.0.0.1:80 --count 5 --seconds 5", "--count"),
    ("round-trips tcp://127.0.0.1:80 --rate 0", "--rate"), ("round-trips tcp://127.0.0.1:80 --request 31", "--request"),
    ("round-trips udp://127.0.0.1:80 --reply 70000", "--reply"),
    ("round-trips tcp://127.0.0.1:80 --concurrency 10000000", "--concurrency"),
    ("round-trips tcp://127.0.0.1:80 --warm-up -1", "--warm-up"),
    ("round-trips tcp://127.0.0.1:80 --sources ::1-::2", "--sources"),
    ("round-trips tcp://127.0.0.1:80 --watch-cpu 4194305", "--watch-cpu"),
    ("connections udp://127.0.0.1:80", "target"), ("connections tcp://127.0.0.1:80 --closes both", "--closes"),
    ("upload udp://127.0.0.1:80", "target"), ("stream tcp://127.0.0.1:80", "target"),
    ("stream udp://127.0.0.1:80 --segments 65", "--segments"),
    ("stream udp://127.0.0.1:80 --segments 60 --request 1200", "--segments"),
    ("idle tcp://127.0.0.1:80 --count 5", "--count"), ("idle tcp://127.0.0.1:80 --warm-up 5", "--warm-up"),
    ("idle tcp://127.0.0.1:80 --seconds 0", "--seconds must be above 0"),
    ("round-trips tcp://127.0.0.1:80 --concurrency -1", "--concurrency must be at least 1"),
    ("round-trips tcp://127.0.0.1:80 --concurrency 0", "--concurrency must be at least 1"),
    ("round-trips tcp://127.0.0.1:80 --concurrency=-1", "--concurrency must be at least 1"),
    ("round-trips tcp://127.0.0.1:80 --rate -5", "--rate must be above 0"),
    ("round-trips tcp://127.0.0.1:80 --count -5", "--count must be at least 1"),
    ("round-trips tcp://127.0.0.1:80 --seconds -5", "--seconds must be above 0"),
    ("round-trips tcp://127.0.0.1:80 --warm-up -5", "--warm-up must be from 0"),
    ("round-trips tcp://127.0.0.1:80 --request -5", "--request must be from 32"),
    ("round-trips tcp://127.0.0.1:80 --watch-cpu -5", "--watch-cpu -5: there is no such process"),
    ("round-trips tcp://127.0.0.1:80 --concurrency --seconds 5", "--concurrency"),
    ("stream udp://127.0.0.1:80 --rate -5", "--rate must be above 0"),
    ("round-trips http://127.0.0.1:80/ --request 64", "--request has no meaning with http://"),
    ("connections http://127.0.0.1:80/ --reply 64", "--reply has no meaning with http://"),
    ("idle http://127.0.0.1:80/ --reply 100", "--reply has no meaning with http://"),
    ("round-trips tcp://127.0.0.1:99999", "has port '99999', which must be from 1 to 65535"),
    ("upload tcp://127.0.0.1:0", "has port '0', which must be from 1 to 65535"),
    ("stream udp://[::1]:x", "has port 'x', which must be from 1 to 65535"),
    ("round-trips http://127.0.0.1:0/", "has port '0', which must be from 1 to 65535"),
    ("serve tcp://127.0.0.1:65536", "has port '65536', which must be from 0 to 65535"),
    ("serve http://127.0.0.1:80/", "targets"),
  ])
  func `a wrong argument is named in one line`(words: String, name: String) throws {
    let (exit, output, error) = try run(words)
    #expect(exit == .code(64))
    #expect(output == [])
    #expect(error.count == 1)
    #expect(error.first?.contains(name) == true, "\(error)")
  }

  @Test func `an address that cannot be served is named`() throws {
    let (exit, _, error) = try run("serve tcp://192.0.2.1:80")
    #expect(exit == .code(1))
    #expect(error == ["roadstead-load: tcp://192.0.2.1:80: Cannot assign requested address"])
  }
}
