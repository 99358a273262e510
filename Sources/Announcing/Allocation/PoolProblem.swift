import Addresses

/// Why a pool is refused.
public struct PoolProblem: Hashable, Sendable {
  public enum Cause: Hashable, Sendable {
    case nameMissing
    /// Another pool has the name.
    case duplicateName
    case noRanges
    case overlapsItself(IPRange, IPRange)
    case overlaps(IPRange, other: IPRange, pool: String)
  }

  /// The pool's name.
  public let pool: String
  public let cause: Cause
  /// Whether the pool's last good version stays in force.
  public let keepsLastGood: Bool

  public init(pool: String, cause: Cause, keepsLastGood: Bool = false) {
    self.pool = pool
    self.cause = cause
    self.keepsLastGood = keepsLastGood
  }
}

extension PoolProblem: CustomStringConvertible {
  public var description: String {
    let text =
      switch cause {
      case .nameMissing: "a pool has no name"
      case .duplicateName: "pool \(pool) is there more than once"
      case .noRanges: "pool \(pool) has no addresses"
      case .overlapsItself(let a, let b): "pool \(pool): its ranges \(a) and \(b) overlap"
      case .overlaps(let range, let other, let otherPool):
        "pool \(pool): \(range) overlaps \(other) of pool \(otherPool)"
      }
    return keepsLastGood ? "\(text); its last good version stays" : text
  }
}
