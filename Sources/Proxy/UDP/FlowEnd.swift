/// Why a UDP flow ended: one list for log, metric and test.
public enum FlowEnd: String, CaseIterable, Sendable {
  /// No datagram either way for `udp-idle-timeout`.
  case idle
  /// Its client did not send again after the first reply, for 5 s.
  case young = "young-idle"
  /// The limit of flows was reached and this one was young, the longest without a datagram.
  case evictedYoung = "evicted-young"
  /// Too many flows had proved real and this one was the longest without a datagram.
  case evictedIdle = "evicted-idle"
  /// Its Service is no longer served here.
  case unserved
  /// Its endpoint could not be reached: no local port, descriptor or memory, or no route.
  case failed
}

/// Why a datagram went nowhere: one list for log, metric and test.
public enum DatagramDrop: String, CaseIterable, Sendable {
  /// The Service has no endpoint that takes traffic.
  case noEndpoint = "no-endpoint"
  /// No descriptor, port or memory for the flow's socket.
  case noSocket = "no-socket"
  /// The socket's send buffer was full.
  case sendBufferFull = "send-buffer-full"
  /// The endpoint refused it (ICMP port unreachable) and there was no other.
  case refused
  /// The system would not send it for another reason.
  case sendFailed = "send-failed"
  /// It was larger than any UDP datagram can be passed on.
  case truncated
  /// The kernel had no room in the listener's receive buffer (SO_RXQ_OVFL). One that came in segments counts once.
  case receiveBufferFull = "receive-buffer-full"
  /// An endpoint's: the kernel had no room in the flow's receive buffer.
  case replyReceiveBufferFull = "reply-receive-buffer-full"
  /// An endpoint's: the listener's send buffer was full.
  case replySendBufferFull = "reply-send-buffer-full"
  /// An endpoint's: the system would not send it to the client for another reason.
  case replySendFailed = "reply-send-failed"

  /// Whether it went from an endpoint to a client.
  public var isReply: Bool {
    switch self {
    case .noEndpoint, .noSocket, .sendBufferFull, .refused, .sendFailed, .truncated, .receiveBufferFull: false
    case .replyReceiveBufferFull, .replySendBufferFull, .replySendFailed: true
    }
  }
}

extension CaseIterable where Self: Equatable, AllCases == [Self] {
  /// The number that counters use: its place in ``allCases``.
  public var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
