extension AdminState {
  /// What happened since the start; of one port, or of the whole process.
  public struct Counters: Codable, Hashable, Sendable {
    /// Connections accepted from clients.
    public var accepted: UInt64
    /// Connections open now.
    public var active: UInt64
    /// Bytes from clients.
    public var bytesIn: UInt64
    /// Bytes to clients.
    public var bytesOut: UInt64
    /// Connects to endpoints that were refused, reset or timed out.
    public var connectFailures: UInt64
    /// Further endpoints tried after a failed one.
    public var retries: UInt64
    /// Connections that ended, by the reason's name.
    public var closes: [String: UInt64]

    public init(
      accepted: UInt64 = 0, active: UInt64 = 0, bytesIn: UInt64 = 0, bytesOut: UInt64 = 0,
      connectFailures: UInt64 = 0, retries: UInt64 = 0, closes: [String: UInt64] = [:]
    ) {
      self.accepted = accepted
      self.active = active
      self.bytesIn = bytesIn
      self.bytesOut = bytesOut
      self.connectFailures = connectFailures
      self.retries = retries
      self.closes = closes
    }

    /// Sums, never past the largest number.
    public static func += (sum: inout Counters, more: Counters) {
      sum.accepted = saturated(sum.accepted, more.accepted)
      sum.active = saturated(sum.active, more.active)
      sum.bytesIn = saturated(sum.bytesIn, more.bytesIn)
      sum.bytesOut = saturated(sum.bytesOut, more.bytesOut)
      sum.connectFailures = saturated(sum.connectFailures, more.connectFailures)
      sum.retries = saturated(sum.retries, more.retries)
      sum.closes.merge(more.closes, uniquingKeysWith: saturated)
    }
  }
}

private func saturated(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}
