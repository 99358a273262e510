import Addresses

/// Chooses the endpoint of a new connection or flow. Immutable: built off the packet path and swapped in.
///
/// What turns (the step of round-robin, the counts of connections) lives in atomics that outlast
/// the selector, so that all shards and all snapshots of a Service port share one sequence.
public protocol Selector: Sendable {
  /// An index into the endpoints, none of `tried`; nil when there is none left.
  ///
  /// The chosen endpoint's ``EndpointState/active`` has been raised by one: whoever asked lowers it
  /// when the connection ends or did not come about.
  func select(source: IPAddress, tried: Tried, random: inout RandomSource) -> Int?
}

/// The endpoints that one connection has tried in vain, at most ``capacity``.
public struct Tried: Sendable {
  /// As many tries as one connection gets.
  public static let capacity = 3
  private var indices: (UInt16, UInt16, UInt16) = (.max, .max, .max)
  public private(set) var count = 0

  public init() {}

  /// Notes a try; those past the capacity are not kept.
  public mutating func insert(_ index: Int) {
    let index = UInt16(truncatingIfNeeded: index)
    switch count {
    case 0: indices.0 = index
    case 1: indices.1 = index
    case 2: indices.2 = index
    default: return
    }
    count += 1
  }

  public func contains(_ index: Int) -> Bool {
    let index = UInt16(truncatingIfNeeded: index)
    return count > 0 && (indices.0 == index || indices.1 == index || indices.2 == index)
  }
}

/// The most endpoints that one Service port balances over; those past it are left out, and said to be.
public let maximumEndpoints = 65_000
