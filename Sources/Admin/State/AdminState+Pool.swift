extension AdminState {
  /// A pool of external addresses.
  public struct Pool: Codable, Hashable, Sendable {
    public var name: String
    /// As written: `10.101.0.50-10.101.0.60`, `10.101.0.0/24`.
    public var ranges: [String]
    /// Addresses that Services have.
    public var assigned: UInt64
    /// Addresses in all ranges, in decimal: an IPv6 pool may have more than a JSON number can say.
    public var total: String

    public init(name: String, ranges: [String], assigned: UInt64, total: String) {
      self.name = name
      self.ranges = ranges
      self.assigned = assigned
      self.total = total
    }
  }
}
