/// Why a connection ended: one list for log, metric and test.
public enum CloseReason: String, CaseIterable, Sendable {
  /// Both sides sent their FIN and everything was delivered.
  case finished
  /// The client sent a reset; it was passed on.
  case clientReset = "client-reset"
  /// The endpoint sent a reset; it was passed on.
  case serverReset = "server-reset"
  /// The client's host stopped answering (keepalive, retransmission, no route).
  case clientLost = "client-lost"
  /// The endpoint's host stopped answering.
  case serverLost = "server-lost"
  /// The client reset before an endpoint had answered.
  case clientLeft = "client-left"
  /// The Service has no endpoint that takes traffic; the client was reset.
  case noEndpoint = "no-endpoint"
  /// Every endpoint that was tried refused; the client was reset.
  case connectFailed = "connect-failed"
  /// No endpoint that was tried answered within `connect-timeout`; the client was reset.
  case connectTimeout = "connect-timeout"
  /// No byte in either direction for `idle-timeout`.
  case idleTimeout = "idle-timeout"
  /// No byte for `half-closed-timeout` after one side's FIN.
  case halfClosedTimeout = "half-closed-timeout"
  /// No local port, descriptor or memory to reach an endpoint with.
  case outOfResources = "out-of-resources"
  /// The process ended before the connection did.
  case shutdown

  /// HAProxy's two letters for it: who ended it, and in which phase.
  public var haproxyCode: String {
    switch self {
    case .finished: "--"
    case .clientReset: "CD"
    case .serverReset: "SD"
    case .clientLost: "cD"
    case .serverLost: "sD"
    case .clientLeft: "CC"
    case .noEndpoint, .connectFailed: "SC"
    case .connectTimeout: "sC"
    case .idleTimeout: "cD"
    case .halfClosedTimeout: "cL"
    case .outOfResources: "RC"
    case .shutdown: "KD"
    }
  }

  /// The number that counters use: its place in ``allCases``.
  public var index: Int {
    switch self {
    case .finished: 0
    case .clientReset: 1
    case .serverReset: 2
    case .clientLost: 3
    case .serverLost: 4
    case .clientLeft: 5
    case .noEndpoint: 6
    case .connectFailed: 7
    case .connectTimeout: 8
    case .idleTimeout: 9
    case .halfClosedTimeout: 10
    case .outOfResources: 11
    case .shutdown: 12
    }
  }
}
