import Glibc

/// An error number of the system (errno(3)).
public struct Errno: Error, Hashable, Sendable, RawRepresentable {
  public let rawValue: CInt

  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// The calling thread's errno: to be read right after the call that failed.
  public static var current: Errno { Errno(rawValue: errno) }

  /// Whether the call should be tried again when the descriptor is ready.
  public var isWouldBlock: Bool { rawValue == EAGAIN || rawValue == EWOULDBLOCK }
}

extension Errno: CustomStringConvertible {
  /// The system's sentence, as `Address already in use`.
  public var description: String {
    guard let text = unsafe strerror(rawValue) else { return "error \(rawValue)" }
    return unsafe String(cString: text)
  }
}
