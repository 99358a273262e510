import Glibc

/// The addresses that the demo and the examples name: used by one test of one process at a time.
public enum FixedAddresses {
  /// Runs `body` while no other test uses them; waits up to a minute for its turn.
  public static func exclusively<R>(_ body: () throws -> R) throws -> R {
    let path = "/tmp/roadstead-test-fixed-addresses"
    let descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw TestFailure("\(path): \(errorText())") }
    defer { close(descriptor) }
    // flock(2) belongs to the open file, so it keeps threads apart as well as processes.
    try eventually("the demo's addresses are free", within: .seconds(60)) {
      flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }
    return try body()
  }
}
