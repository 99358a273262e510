import CLibEv
import Glibc
import Synchronization

/// A process of the test's own, with its output captured by lines; killed by its pid at the latest when
/// the last reference goes or the test process exits.
///
/// Any thread may call it.
public final class ChildProcess: Sendable {
  /// How a process ended.
  public enum Exit: Sendable, Hashable {
    case code(Int)
    case signal(Int)
  }

  /// Where a line came from.
  public enum Source: Sendable, Hashable {
    case output
    case error
  }

  public let pid: pid_t
  public let commandLine: String
  private let lines = Monitor<(all: [(source: Source, text: String)], open: Int)>(([], 2))
  private let exit = Monitor<Exit?>(nil)

  /// Starts `executable`, looked up in PATH when it has no slash.
  ///
  /// Standard input is empty; signals have their default actions and none is blocked.
  public init(_ executable: String, _ arguments: [String], environment extra: [String: String] = [:]) throws {
    commandLine = ([executable] + arguments).joined(separator: " ")
    let output = try Pipe()
    let error = try Pipe()
    pid = try spawn(executable, arguments, extra, output: output.writing, error: error.writing)
    Glibc.close(output.writing)
    Glibc.close(error.writing)
    LivingChildren.shared.add(pid)
    let (lines, exit, pid) = (lines, exit, pid)
    try TestThread { collect(output.reading, .output, into: lines) }.detach()
    try TestThread { collect(error.reading, .error, into: lines) }.detach()
    try TestThread {
      // First wait without reaping, then reap under the lock: nobody can signal a pid that is free again.
      var info = unsafe siginfo_t()
      while unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
      LivingChildren.shared.remove(pid)
      exit.update {
        var status: CInt = 0
        _ = unsafe waitpid(pid, &status, 0)
        let low = status & 0x7F
        $0 = low == 0 ? .code(Int(status >> 8 & 0xFF)) : .signal(Int(low))
      }
    }.detach()
  }

  deinit { kill() }

  /// Whether it has not ended yet.
  public var isRunning: Bool { exit.update { $0 == nil } }

  /// Sends a signal; does nothing once the process has ended.
  public func signal(_ number: CInt) {
    // Under the lock, a process that has not been reaped keeps its pid.
    exit.update { if $0 == nil { _ = Glibc.kill(pid, number) } }
  }

  /// Ends it by SIGKILL and waits for that.
  public func kill() {
    signal(SIGKILL)
    _ = exit.wait(until: .after(.seconds(10))) { $0 }
  }

  /// Waits for the end; throws, with the output so far, when it does not come in time.
  @discardableResult public func waitForExit(within span: Duration = .seconds(10)) throws -> Exit {
    let deadline = Deadline.after(span)
    guard let result = exit.wait(until: deadline, { $0 }) else {
      throw deadline.failure("the end of `\(commandLine)`, which printed:\n\(transcript)")
    }
    // The pipes end when the process and its children have closed them.
    _ = lines.wait(until: .after(.seconds(2))) { $0.open == 0 ? true : nil }
    return result
  }

  /// Waits until a line holds `text` and returns that line; throws, with the output so far, when none comes
  /// in time or the process ends without one.
  @discardableResult public func waitForLine(
    containing text: String, from source: Source? = nil, within span: Duration = .seconds(10)
  ) throws -> String {
    let deadline = Deadline.after(span)
    let line: String?? = lines.wait(until: deadline) { state in
      for line in state.all where (source == nil || line.source == source) && line.text.contains(text) {
        return .some(line.text)
      }
      return state.open == 0 ? .some(nil) : nil
    }
    guard let line, let line else {
      throw deadline.failure("`\(text)` from `\(commandLine)`, which printed:\n\(transcript)")
    }
    return line
  }

  /// The lines of standard output so far.
  public var output: [String] { lines.update { $0.all.filter { $0.source == .output }.map(\.text) } }

  /// The lines of standard error so far.
  public var error: [String] { lines.update { $0.all.filter { $0.source == .error }.map(\.text) } }

  /// All lines so far, in the order they were read.
  public var transcript: String { lines.update { $0.all.map(\.text).joined(separator: "\n") } }
}

private func collect(
  _ descriptor: CInt, _ source: ChildProcess.Source,
  into lines: Monitor<(all: [(source: ChildProcess.Source, text: String)], open: Int)>
) {
  var rest: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 16384)
  while true {
    let count = unsafe read(descriptor, &buffer, buffer.count)
    if count < 0 && errno == EINTR { continue }
    if count <= 0 { break }
    rest += buffer[..<count]
    while let newline = rest.firstIndex(of: 10) {
      let text = String(decoding: rest[..<newline], as: UTF8.self)
      lines.update { $0.all.append((source, text)) }
      rest.removeSubrange(...newline)
    }
  }
  close(descriptor)
  let last = String(decoding: rest, as: UTF8.self)
  lines.update {
    if !last.isEmpty { $0.all.append((source, last)) }
    $0.open -= 1
  }
}

/// The two ends of a pipe, neither inherited by other children.
private struct Pipe {
  let reading: CInt
  let writing: CInt

  init() throws {
    var ends: [CInt] = [0, 0]
    guard unsafe clinux_pipe(&ends, 65536) > 0 else { throw TestFailure("no pipe: \(errorText())") }
    reading = ends[0]
    writing = ends[1]
    // The program under test is to find ordinary, blocking ends.
    for end in ends { _ = fcntl(end, F_SETFL, 0) }
  }
}
