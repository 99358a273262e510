import Addresses
import Glibc

/// What a command printed and how it ended.
public struct Finished: Sendable {
  public let exit: ChildProcess.Exit
  public let output: [String]
  public let error: [String]

  /// Standard output and error, for a report.
  public var transcript: String { (output + error).joined(separator: "\n") }
}

/// Runs a command to its end.
public func run(
  _ executable: String, _ arguments: [String], environment: [String: String] = [:],
  within span: Duration = .seconds(20)
) throws -> Finished {
  let child = try ChildProcess(executable, arguments, environment: environment)
  let exit = try child.waitForExit(within: span)
  return Finished(exit: exit, output: child.output, error: child.error)
}

/// The body that `curl` gets from `url`; throws unless the answer is a success.
public func curl(_ url: String, _ options: [String] = [], within span: Duration = .seconds(10)) throws -> String {
  let seconds = String(span.components.seconds)
  let all = ["--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", seconds] + options + [url]
  let result = try run("curl", all, within: span + .seconds(5))
  guard result.exit == .code(0) else { throw TestFailure("curl \(url): \(result.exit) \(result.transcript)") }
  return result.output.joined(separator: "\n")
}

/// The HTTP status that `curl` gets from `url`; 0 when there is no answer.
public func curlStatus(_ url: String, _ options: [String] = []) throws -> Int {
  let all = ["--silent", "--noproxy", "*", "--max-time", "10", "--output", "/dev/null", "--write-out", "%{http_code}"]
  return try Int(run("curl", all + options + [url]).output.first ?? "") ?? 0
}

/// How often each body came in `count` requests to `url`, one connection each.
public func curlCounts(_ url: String, _ count: Int) throws -> [String: Int] {
  // One curl for all: `[1-N]` in the fragment repeats the request and is not sent.
  let all = [
    "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "10", "--header", "Connection: close",
  ]
  let result = try run("curl", all + ["\(url)#[1-\(count)]"], within: .seconds(60))
  guard result.exit == .code(0) else { throw TestFailure("curl \(url): \(result.exit) \(result.transcript)") }
  return result.output.reduce(into: [:]) { $0[$1, default: 0] += 1 }
}
