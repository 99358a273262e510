import Glibc
import Synchronization

/// Network namespaces of a test's own (network_namespaces(7)): empty but for a loopback that is down.
public enum NetworkNamespace {
  /// Whether this process may make one: as root, mostly.
  public static let isAvailable: Bool = (try? run {}) != nil

  /// For a test that is skipped without it.
  public static let requirement: String = "needs root: makes a network namespace of its own"

  /// Runs `body` on a thread of its own in a namespace of its own, which ends with the last socket and process in it.
  ///
  /// Sockets that `body` opens, and threads and processes that it starts, belong to that namespace. Within it, /proc/net is
  /// the process's: /proc/thread-self/net is the namespace's. Let `#require` end a failed test: it throws through here.
  public static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
    let result = Mutex<Result<R, any Error>?>(nil)
    let shared = Shared(result)
    try TestThread(stackBytes: 2 << 20) {
      let outcome = Result {
        guard unshareNetwork() == 0 else { throw TestFailure("no network namespace: \(errorText())") }
        return try body()
      }
      shared.value.withLock { $0 = outcome }
    }.join()
    guard let outcome = shared.value.withLock({ $0 }) else { throw TestFailure("the thread left no result") }
    do { return try outcome.get() } catch let error as TestFailure { throw error } catch {
      // One that the test library knows is no failure of this test yet: it was recorded on a thread without one.
      throw TestFailure("in its namespace: \(error)")
    }
  }

  private final class Shared<R: Sendable>: Sendable {
    let value: Mutex<Result<R, any Error>?>
    init(_ value: consuming sending Mutex<Result<R, any Error>?>) { self.value = value }
  }

  /// Runs ip(8) with these words, in the namespace of the calling thread. Throws what it says when it fails.
  @discardableResult public static func ip(_ words: String) throws -> String {
    try command("ip", words.split(separator: " ").map(String.init))
  }

  /// Runs ip(8) with these commands, one after the other.
  public static func ip(all commands: [String]) throws {
    for command in commands { try ip(command) }
  }

  private static func command(_ name: String, _ words: [String]) throws -> String {
    let finished = try TestKit.run(name, words)
    guard finished.exit == .code(0) else {
      throw TestFailure("\(name) \(words.joined(separator: " ")): \(finished.transcript)")
    }
    return finished.output.joined(separator: "\n")
  }

  /// The index of an interface, in the namespace of the calling thread; throws when it is not there.
  public static func index(of interface: String) throws -> CInt {
    // The text lives through the call.
    let index = unsafe if_nametoindex(interface)
    guard index > 0 else { throw TestFailure("no \(interface): \(errorText())") }
    return CInt(index)
  }

  /// Writes to a file of /proc/sys, of the namespace of the calling thread.
  public static func set(_ path: String, _ value: String) throws {
    let file = unsafe open("/proc/sys/" + path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw TestFailure("\(path): \(errorText())") }
    defer { close(file) }
    guard unsafe write(file, value, value.utf8.count) == value.utf8.count else {
      throw TestFailure("\(path): \(errorText())")
    }
  }

  /// The lines of a file of /proc, of the namespace of the calling thread.
  public static func lines(of path: String) throws -> [String] {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw TestFailure("\(path): \(errorText())") }
    defer { close(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
      let count = unsafe read(file, &buffer, buffer.count)
      guard count > 0 else { break }
      text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

/// unshare(2) with CLONE_NEWNET, which Swift's Glibc does not show.
private func unshareNetwork() -> CInt {
  typealias Unshare = @convention(c) (CInt) -> CInt
  // A function of glibc, which stays.
  guard let symbol = unsafe dlsym(nil, "unshare") else { return -1 }
  return unsafe unsafeBitCast(symbol, to: Unshare.self)(0x4000_0000)
}
