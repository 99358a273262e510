import Glibc

/// The built `roadstead`, found once.
public enum RoadsteadBinary {
  /// `ROADSTEAD_BINARY`, else what stands beside the test bundle, else a release or debug build of this checkout.
  public static let path: String? = {
    if let named = environment("ROADSTEAD_BINARY") { return named }
    var candidates: [String] = []
    for argument in CommandLine.arguments + [executablePath] where argument.contains("/") {
      candidates.append(directory(of: argument) + "/roadstead")
    }
    candidates += [".build/release/roadstead", ".build/debug/roadstead"].map { "\(checkout)/\($0)" }
    return candidates.first { unsafe access($0, X_OK) == 0 }
  }()

  /// The root of the checkout that this file was built from.
  public static let checkout: String = {
    var path = #filePath
    for _ in 0..<3 { path = directory(of: path) }
    return path
  }()

  /// Starts `roadstead` with the given words.
  public static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> ChildProcess {
    try ChildProcess(found(), arguments, environment: environment)
  }

  /// Runs `roadstead` to its end.
  public static func run(
    _ arguments: [String], environment: [String: String] = [:], within span: Duration = .seconds(20)
  ) throws -> Finished {
    try TestKit.run(found(), arguments, environment: environment, within: span)
  }

  private static func found() throws -> String {
    guard let path else { throw TestFailure("no roadstead binary: swift build first, or set ROADSTEAD_BINARY") }
    return path
  }

  private static var executablePath: String {
    guard let path = unsafe realpath("/proc/self/exe", nil) else { return "" }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return String(path[..<slash])
  }
}
