import Glibc

/// The only owner of a file descriptor, which it closes at its end.
public struct OwnedDescriptor: ~Copyable, Sendable {
  /// The number, valid while this value lives.
  public let rawValue: CInt

  /// Takes over a descriptor that is open.
  public init(_ rawValue: CInt) { self.rawValue = rawValue }

  /// Takes over what a system call returned; throws the thread's errno when that is negative.
  public init(checking result: CInt) throws(Errno) {
    guard result >= 0 else { throw .current }
    rawValue = result
  }

  /// Gives the descriptor away, open.
  public consuming func take() -> CInt {
    let rawValue = rawValue
    discard self
    return rawValue
  }

  deinit { close(rawValue) }
}
