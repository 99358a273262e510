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
    /// Datagrams from clients that endpoints were sent; nil without UDP, where connections are flows.
    public var datagramsIn: UInt64?
    /// Datagrams that clients were sent; nil without UDP.
    public var datagramsOut: UInt64?
    /// Datagrams that went nowhere, by the reason's name; nil without UDP.
    public var drops: [String: UInt64]?

    public init(
      accepted: UInt64 = 0, active: UInt64 = 0, bytesIn: UInt64 = 0, bytesOut: UInt64 = 0,
      connectFailures: UInt64 = 0, retries: UInt64 = 0, closes: [String: UInt64] = [:], datagramsIn: UInt64? = nil,
      datagramsOut: UInt64? = nil, drops: [String: UInt64]? = nil
    ) {
      self.accepted = accepted
      self.active = active
      self.bytesIn = bytesIn
      self.bytesOut = bytesOut
      self.connectFailures = connectFailures
      self.retries = retries
      self.closes = closes
      self.datagramsIn = datagramsIn
      self.datagramsOut = datagramsOut
      self.drops = drops
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
      if let more = more.datagramsIn { sum.datagramsIn = saturated(sum.datagramsIn ?? 0, more) }
      if let more = more.datagramsOut { sum.datagramsOut = saturated(sum.datagramsOut ?? 0, more) }
      if let more = more.drops { sum.drops = (sum.drops ?? [:]).merging(more, uniquingKeysWith: saturated) }
    }
  }
}

private func saturated(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}
