import CLibEv

/// What has become of a socket, as epoll_ctl(2) tells it. Each is told once, when it happens.
public struct EdgeEvents: OptionSet, Sendable {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Bytes, or the peer's FIN, can be received (EPOLLIN).
  @inlinable public static var readable: EdgeEvents { EdgeEvents(rawValue: 0x1) }
  /// Urgent data is there (EPOLLPRI): a read stops short of it, though there is more behind it (tcp(7)).
  @inlinable public static var urgent: EdgeEvents { EdgeEvents(rawValue: 0x2) }
  /// Bytes can be sent (EPOLLOUT).
  @inlinable public static var writable: EdgeEvents { EdgeEvents(rawValue: 0x4) }
  /// An error waits in SO_ERROR (EPOLLERR); told without being asked for.
  @inlinable public static var failed: EdgeEvents { EdgeEvents(rawValue: 0x8) }
  /// Both directions have ended (EPOLLHUP); told without being asked for.
  @inlinable public static var hungUp: EdgeEvents { EdgeEvents(rawValue: 0x10) }
  /// The peer has sent its FIN (EPOLLRDHUP): behind the bytes there is an end.
  @inlinable public static var peerClosed: EdgeEvents { EdgeEvents(rawValue: 0x2000) }

  /// That a read has something to tell: bytes, an end or an error.
  @inlinable public static var incoming: EdgeEvents { [.readable, .behind] }
  /// That a read which gave less than was asked for has left something: an end, or what is behind urgent data.
  @inlinable public static var behind: EdgeEvents { [.failed, .hungUp, .peerClosed, .urgent] }

  /// The kernel's own constants, checked once when the first ``EdgePoll`` is made.
  static func checkAgainstKernel() {
    let all: [EPOLL_EVENTS] = [EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP]
    let ours: [EdgeEvents] = [.readable, .urgent, .writable, .failed, .hungUp, .peerClosed]
    precondition(all.map(\.rawValue) == ours.map(\.rawValue), "epoll's event bits are others here")
  }
}
