import Glibc

/// What the program says.
enum Output {
  /// A line on standard output.
  static func print(_ line: String) { write(line, to: STDOUT_FILENO) }

  /// A line for people, on standard error.
  static func tell(_ line: String) { write("roadstead-load: \(line)", to: STDERR_FILENO) }

  private static func write(_ line: String, to descriptor: CInt) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
