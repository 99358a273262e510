import Addresses
import Glibc
import TestKit
import Testing

/// What happens where the system gives no more descriptors (RLIMIT_NOFILE).
@Suite(.serialized, .timeLimit(.minutes(1))) struct OpenFilesTests {
  /// `sh -c` that starts `roadstead` under a limit of its own.
  private func words(limit: Int, _ arguments: [String]) throws -> [String] {
    guard let path = RoadsteadBinary.path else { throw TestFailure("no roadstead binary: swift build first") }
    return ["-c", "ulimit -n \(limit); exec \"$0\" \"$@\"", path] + arguments
  }

  @Test func `too few to start with is one line, and exit code 3`() throws {
    let block = try LoopbackBlock()
    let arguments = ["run", "--listen", "\(block.address(50, port: 8080))", "--to", "\(block.address(1, port: 80))"]
    let result = try run("sh", words(limit: 20, arguments + ["--shards", "2", "--admin", "none"]))
    #expect(result.exit == .code(3))
    #expect(result.error.count == 1 && result.error[0].contains("open files"), "\(result.transcript)")
  }

  @Test func `with none left nothing spins, and all is well once there are some`() throws {
    let block = try LoopbackBlock()
    let directory = try TemporaryDirectory()
    let server = try TestServer(on: block.address(1, port: 18080), Handlers.echo)
    let listen = block.address(50, port: 8080)
    let process = try ChildProcess(
      "sh",
      words(
        limit: 64,
        [
          "run", "--listen", "\(listen)", "--to", "\(server.address)", "--shards", "2", "--admin",
          "unix:\(directory.file("admin"))",
        ]))
    try process.waitForLine(containing: "TCP →")
    // Those that the proxy has no descriptor for are reset, some before their connect has returned.
    let clients = (0..<100).compactMap { _ in try? TCPStream(to: listen) }
    let admin = try ChildProcess(
      "curl", ["--silent", "--max-time", "20", "--unix-socket", directory.file("admin"), "http://localhost/healthz"])
    stall(.milliseconds(500))
    let before = try processorTicks(process.pid)
    stall(.seconds(2))
    // A spinning thread takes about 200 ticks of 10 ms.
    #expect(try processorTicks(process.pid) - before < 60)
    for client in clients { client.close() }
    #expect(try admin.waitForExit(within: .seconds(15)) == .code(0))
    // Clients that still wait in the queue have their turn, or their reset, first.
    try eventually("it serves again") { (try? echoes(listen)) == true }
    for _ in 0..<10 { #expect(try echoes(listen)) }
    let answer = try curl("http://localhost/healthz", ["--unix-socket", directory.file("admin")])
    #expect(!answer.isEmpty)
  }

  private func echoes(_ address: SocketAddress) throws -> Bool {
    let client = try TCPStream(to: address)
    defer { client.close() }
    try client.send("x")
    return try client.receive(exactly: 1) == Array("x".utf8)
  }

  /// User and system time of a process, in clock ticks (proc(5)).
  private func processorTicks(_ pid: pid_t) throws -> Int {
    let descriptor = unsafe open("/proc/\(pid)/stat", O_RDONLY)
    guard descriptor >= 0 else { throw TestFailure("process \(pid) is gone") }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    let text = String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
    let fields = text.drop { $0 != ")" }.split(separator: " ")
    guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
      throw TestFailure("cannot read '\(text)'")
    }
    return user + system
  }
}
